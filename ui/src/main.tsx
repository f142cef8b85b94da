import "./style/tokens.css";
import "./style/page.css";
import "./style/traces.css";
import "./style/trace.css";
import "./style/groups.css";
import "./style/diff.css";
import { render } from "preact";
import { App } from "./app";
import * as api from "./page/api";
import { readFrom } from "./page/source";

readFrom({ ...api, isServer: true });
const place = document.getElementById("page");
if (place) render(<App />, place);
