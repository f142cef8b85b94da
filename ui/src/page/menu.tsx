/** A button and what it opens below itself. */
import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";

const GAP = 4;
const EDGE = 8;

interface Props {
  id: string;
  label: ComponentChildren;
  title?: string;
  onOpen?: () => void;
  children: ComponentChildren;
}

export function Menu({ id, label, title, onOpen, children }: Props) {
  const button = useRef<HTMLButtonElement>(null);
  const place = (menu: HTMLElement) => {
    const below = button.current?.getBoundingClientRect();
    if (!below) return;
    menu.style.top = `${below.bottom + GAP}px`;
    menu.style.left = `${Math.max(EDGE, Math.min(below.left, innerWidth - menu.offsetWidth - EDGE))}px`;
  };
  return (
    <>
      <button type="button" ref={button} id={`${id}-button`} popovertarget={id} title={title} class="menu-button">
        {label} <span aria-hidden="true">▾</span>
      </button>
      <div
        id={id}
        popover="auto"
        class="menu"
        onToggle={(event) => {
          place(event.currentTarget);
          if (event.newState === "open") onOpen?.();
        }}
      >
        {children}
      </div>
    </>
  );
}

const element = (id: string) => document.getElementById(id);

export const toggleMenu = (id: string): void => element(`${id}-button`)?.click();
export const closeMenu = (id: string): void => element(id)?.hidePopover();
