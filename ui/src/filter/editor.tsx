/** The line in which a filter is written. */
import {
  acceptCompletion,
  autocompletion,
  closeCompletion,
  completionKeymap,
  completionStatus,
  startCompletion,
} from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { setDiagnostics } from "@codemirror/lint";
import { EditorState, Prec } from "@codemirror/state";
import { EditorView, keymap, placeholder } from "@codemirror/view";
import { useEffect, useRef } from "preact/hooks";
import type { Field, FilterPlace } from "../page/api";
import { completeFilter } from "./completion";
import { filterLanguage } from "./language";

const HINT = "Filter traces, for example  status = 'ERROR' AND tags.env = 'prod'".replace(
  "status",
  "attributes.status",
);

const theme = EditorView.theme({
  "&": { color: "var(--text)", fontSize: "13px" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "20px", overflowX: "auto", scrollbarWidth: "none" },
  ".cm-content": { padding: "6px 0", caretColor: "var(--text)" },
  ".cm-line": { padding: "0" },
  ".cm-placeholder": {
    color: "var(--muted)",
    maxWidth: "calc(100vw - 64px)",
    overflow: "hidden",
    whiteSpace: "nowrap",
  },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  ".cm-tooltip": {
    background: "var(--surface)",
    border: "1px solid var(--line-strong)",
    borderRadius: "6px",
    boxShadow: "var(--shadow)",
    overflow: "hidden",
    zIndex: "30",
  },
  ".cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono)", fontSize: "12px", maxHeight: "16em" },
  ".cm-tooltip-autocomplete > ul > li": { padding: "3px 12px 3px 8px", lineHeight: "18px" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { background: "var(--chosen)", color: "var(--text)" },
  ".cm-completionDetail": { color: "var(--muted)", fontStyle: "normal", marginLeft: "12px" },
  ".cm-completionMatchedText": { textDecoration: "none", color: "var(--accent)" },
  ".cm-lintRange-error": {
    backgroundImage: "none",
    textDecoration: "underline wavy var(--error)",
    textUnderlineOffset: "4px",
  },
});

const oneLine = EditorState.transactionFilter.of((change) =>
  change.docChanged && change.newDoc.lines > 1
    ? [
        {
          changes: {
            from: 0,
            to: change.startState.doc.length,
            insert: change.newDoc.toString().replace(/\s*\n\s*/g, " "),
          },
          selection: { anchor: Math.min(change.newDoc.length, change.newSelection.main.head) },
          sequential: false,
        },
      ]
    : change,
);

interface Props {
  value: string;
  fields: Field[];
  problem: FilterPlace | undefined;
  onSubmit: (filter: string) => void;
  onPlace: (left: number) => void;
}

export function FilterEditor({ value, fields, problem, onSubmit, onPlace }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(null);
  const known = useRef(fields);
  known.current = fields;
  const submit = useRef(onSubmit);
  submit.current = onSubmit;

  useEffect(() => {
    const place = host.current;
    if (!place) return undefined;
    // In a root of its own the editor's styles are sheets that scripts make, which the server's policy allows.
    const root = place.shadowRoot ?? place.attachShadow({ mode: "open" });
    const editor = new EditorView({
      root,
      parent: root,
      state: EditorState.create({
        doc: value,
        extensions: [
          history(),
          oneLine,
          filterLanguage,
          placeholder(HINT),
          autocompletion({ override: [completeFilter(() => known.current)], icons: false, interactionDelay: 0 }),
          Prec.high(
            keymap.of([
              { key: "Tab", run: acceptCompletion },
              {
                key: "Enter",
                run: (at) => {
                  if (completionStatus(at.state) === "active" && acceptCompletion(at)) return true;
                  submit.current(at.state.doc.toString().trim());
                  return true;
                },
              },
              {
                key: "Escape",
                run: (at) => {
                  if (!closeCompletion(at)) at.contentDOM.blur();
                  return true;
                },
              },
            ]),
          ),
          keymap.of([...completionKeymap, ...historyKeymap, ...defaultKeymap]),
          EditorView.contentAttributes.of({
            "aria-label": "Filter",
            tabindex: "0",
            spellcheck: "false",
            autocapitalize: "off",
          }),
          theme,
        ],
      }),
    });
    view.current = editor;
    return () => editor.destroy();
  }, []);

  useEffect(() => {
    // Who has begun to write before the fields were known is told of them now.
    const editor = view.current;
    if (fields.length && editor?.hasFocus && editor.state.doc.length) startCompletion(editor);
  }, [fields]);

  useEffect(() => {
    const editor = view.current;
    if (editor && editor.state.doc.toString() !== value) {
      editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: value } });
    }
  }, [value]);

  useEffect(() => {
    const editor = view.current;
    if (!editor) return;
    const length = editor.state.doc.length;
    const from = Math.min(problem?.start ?? 0, length);
    const marks = problem
      ? [{ from, to: Math.max(from, Math.min(problem.end, length)), severity: "error" as const, message: "" }]
      : [];
    editor.dispatch(setDiagnostics(editor.state, marks));
    const at = problem ? editor.coordsAtPos(from) : null;
    onPlace(at && host.current ? at.left - host.current.getBoundingClientRect().left : 0);
  }, [problem]);

  // biome-ignore lint/a11y: the editor inside has the keys
  return <div class="editor" ref={host} data-keys="own" onClick={() => view.current?.focus()} />;
}

/** Put the caret into the filter. */
export function focusFilter(): void {
  document.querySelector(".editor")?.shadowRoot?.querySelector<HTMLElement>(".cm-content")?.focus();
}
