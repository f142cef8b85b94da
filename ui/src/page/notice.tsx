/** What stands where nothing can be shown: why, and what to do. */
import type { ComponentChildren } from "preact";

export function Notice({
  title,
  children,
  isError = false,
}: {
  title: string;
  children?: ComponentChildren;
  isError?: boolean;
}) {
  return (
    <section class={isError ? "notice error" : "notice"} role={isError ? "alert" : "status"}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}
