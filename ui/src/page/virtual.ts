/** A list of which only what is in view is there: `virtual-core` as a hook of Preact. */
import {
  elementScroll,
  observeElementOffset,
  observeElementRect,
  Virtualizer,
  type VirtualizerOptions,
} from "@tanstack/virtual-core";
import type { RefObject } from "preact";
import { useLayoutEffect, useReducer, useRef } from "preact/hooks";

interface Asked {
  scroller: RefObject<HTMLElement | null>;
  count: number;
  height: number;
  /** How much of the scroller stands above the list. */
  above?: number;
}

export function useVirtual({ scroller, count, height, above = 0 }: Asked): Virtualizer<HTMLElement, HTMLElement> {
  const [, redraw] = useReducer((drawn: number) => drawn + 1, 0);
  const options: VirtualizerOptions<HTMLElement, HTMLElement> = {
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    scrollPaddingStart: above,
    overscan: 12,
    scrollToFn: elementScroll,
    observeElementRect,
    observeElementOffset,
    onChange: () => redraw(undefined),
  };
  const list = useRef<Virtualizer<HTMLElement, HTMLElement> | null>(null);
  list.current ??= new Virtualizer(options);
  list.current.setOptions(options);
  useLayoutEffect(() => list.current?._didMount(), []);
  useLayoutEffect(() => list.current?._willUpdate());
  return list.current;
}
