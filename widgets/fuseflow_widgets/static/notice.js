// A sentence where a workbench would be: the frame shows `notice`, and there is nothing else.
import { frame } from "./page.js";

function render({ model, el }) {
  return frame(model, el, "notice", "message").cleanup;
}
export default { render };
