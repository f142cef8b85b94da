import "../style/tokens.css";
import "../style/page.css";
import "../style/traces.css";
import "../style/trace.css";
import { render } from "preact";
import { readFrom } from "../page/source";
import { rows, startReading } from "../traces/rows";
import { Viewer } from "./app";
import { openFile } from "./file";

const file = await openFile();
readFrom(file);
startReading();
const { traces } = await file.searchTraces({ limit: 0 });
rows.value = traces;
document.title = traces.length === 1 ? traces[0].name : `${traces.length} traces`;
const place = document.getElementById("page") as HTMLElement;
place.textContent = "";
render(<Viewer only={traces.length === 1 ? traces[0].trace_id : null} />, place);
