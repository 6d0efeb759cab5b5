// A component that is drawn anew only when its properties say something else. Preact has it in its
// layer for React, which weighs more than these lines. What it draws uses no hooks.
import { Component } from "preact";
import type { ComponentType, VNode } from "preact";

type Same<Props> = (one: Props, other: Props) => boolean;

export function memo<Props extends object>(
  draw: (props: Props) => VNode | null,
  isSame: Same<Props>,
): ComponentType<Props> {
  return class Memo extends Component<Props> {
    override shouldComponentUpdate(next: Props): boolean {
      return !isSame(this.props, next);
    }

    override render(): VNode | null {
      return draw(this.props);
    }
  };
}
