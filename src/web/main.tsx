// The page's beginning: puts the shell into the document. Nothing else touches the document's own
// elements.
import { render } from "preact";
import { Shell } from "./shell.tsx";

const root = document.getElementById("app");
if (root !== null) render(<Shell />, root);
