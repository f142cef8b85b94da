import "../style/tokens.css";
import "../style/page.css";
import "../style/traces.css";
import "../style/trace.css";
import "../style/viewer.css";
import { type ComponentChildren, render } from "preact";
import { get, go } from "../page/address";
import { count } from "../page/format";
import { Notice } from "../page/notice";
import { readFrom } from "../page/source";
import { startReading } from "../traces/rows";
import { Viewer } from "./app";
import { FILE_ORDER, type File, openFile } from "./file";

function show(shown: ComponentChildren): void {
  const place = document.getElementById("page") as HTMLElement;
  place.textContent = "";
  render(shown, place);
}

function start(file: File): void {
  readFrom(file);
  if (!file.isNewestFirst && !get("order")) go({ order: FILE_ORDER }, { replace: true });
  startReading();
  document.title = file.traces.length === 1 ? file.traces[0].name : `${count(file.traces.length)} traces`;
  show(<Viewer traces={file.traces} />);
}

openFile().then(start, (error: Error) =>
  show(
    <Notice title="The traces in this page cannot be read" isError>
      <p>The page is damaged, or the browser is older than 2023.</p>
      <p>{error.message}</p>
    </Notice>,
  ),
);
