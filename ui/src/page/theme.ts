/** Dark or light: as the system says, until somebody chooses. */
import { signal } from "@preact/signals";

const KEY = "tracehound.theme";
const system = matchMedia("(prefers-color-scheme: dark)");

function read(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null; // a browser that keeps nothing has the system's theme
  }
}

export const theme = signal(read() ?? (system.matches ? "dark" : "light"));
system.addEventListener("change", () => {
  if (!read()) theme.value = system.matches ? "dark" : "light";
});
theme.subscribe((value) => {
  document.documentElement.dataset.theme = value;
});

export function toggleTheme(): void {
  theme.value = theme.value === "dark" ? "light" : "dark";
  try {
    localStorage.setItem(KEY, theme.value);
  } catch {
    // as above: it holds until the page is left
  }
}
