import { useEffect, useRef } from "preact/hooks";
import { isHelpOpen, KEYS } from "./keys";
import { source } from "./source";

export function Help() {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (isHelpOpen.value) dialog.current?.showModal();
    else dialog.current?.close();
  }, [isHelpOpen.value]);
  return (
    <dialog
      ref={dialog}
      aria-labelledby="help-title"
      onClose={() => {
        isHelpOpen.value = false;
      }}
    >
      <header>
        <h2 id="help-title">Keys</h2>
        <form method="dialog">
          <button type="submit">Close</button>
        </form>
      </header>
      <dl class="keys">
        {KEYS.filter(([, , isServers]) => source.isServer || !isServers).map(([keys, told]) => (
          <div key={keys}>
            <dt>
              {keys.split("  ").map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{told}</dd>
          </div>
        ))}
      </dl>
    </dialog>
  );
}
