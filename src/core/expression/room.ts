// The room a computed value may take: bytes of its JSON, and levels.
// Built values can share parts, so a small one in memory may be huge as JSON; the walk stops as
// soon as the room is used up and never costs more than that.
import { utf8Bytes, type Json } from "../json.ts";
import { isList } from "./value.ts";

/** Bytes of JSON that may still be rendered. Counts down. */
export interface Room {
  bytes: number;
}

/** Takes what `value` needs from the room; false if it does not fit or is nested too deep. */
export function fits(value: Json, room: Room, levels: number): boolean {
  if (typeof value === "string") return takeText(value, room);
  if (typeof value !== "object" || value === null) return take(String(value).length, room);
  if (levels === 0) return false;
  if (isList(value)) {
    if (!take(2 + Math.max(0, value.length - 1), room)) return false;
    return value.every((item) => fits(item, room, levels - 1));
  }
  const keys = Object.keys(value);
  // Braces, a colon for each member and the commas between them.
  if (!take(2 + Math.max(0, keys.length * 2 - 1), room)) return false;
  return keys.every((key) => {
    const member = value[key];
    return member !== undefined && takeText(key, room) && fits(member, room, levels - 1);
  });
}

function takeText(text: string, room: Room): boolean {
  if (text.length > room.bytes) return false;
  return take(textBytes(text), room);
}

/** Bytes of the text as JSON, quotes included, without building it. */
function textBytes(text: string): number {
  let bytes = 2;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit >= 0x80) return utf8Bytes(JSON.stringify(text));
    if (unit >= 0x20) bytes += unit === QUOTE || unit === BACKSLASH ? 2 : 1;
    else return utf8Bytes(JSON.stringify(text));
  }
  return bytes;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

function take(bytes: number, room: Room): boolean {
  room.bytes -= bytes;
  return room.bytes >= 0;
}
