/**
 * Markdown as elements. The text is what some model wrote: it becomes elements of this table and never HTML, so that
 * there is nothing to sanitise. HTML in it is shown as it is written, images as links.
 */
import { lexer, type Token, type Tokens } from "marked";
import type { ComponentChildren } from "preact";
import { visible } from "../page/format";
import { Text } from "./text";

const LONGEST = 100_000; // a longer text takes longer to take apart than anybody waits
const SAFE = /^(https?:|mailto:)/i;

/** A link that leads out, where its target is one of the web's; the target is told, for the text may lie. */
function Link({ href, children }: { href: string; children: ComponentChildren }) {
  if (!SAFE.test(href)) return <span title="This link is not followed">{children}</span>;
  return (
    <a href={href} title={visible(href)} target="_blank" rel="noopener noreferrer nofollow">
      {children}
    </a>
  );
}

const inner = (token: { tokens?: Token[]; text?: string }) =>
  token.tokens ? <Inline tokens={token.tokens} /> : visible(token.text ?? "");

const HEADINGS = ["h4", "h4", "h5", "h5", "h6", "h6"] as const;

// biome-ignore lint/suspicious/noExplicitAny: each row knows the token of its name
const ELEMENTS: Record<string, (token: any) => ComponentChildren> = {
  space: () => null,
  br: () => <br />,
  hr: () => <hr />,
  text: inner,
  escape: (token: Tokens.Escape) => visible(token.text),
  html: (token: Tokens.HTML) => <code class="html">{visible(token.raw)}</code>,
  paragraph: (token: Tokens.Paragraph) => <p>{inner(token)}</p>,
  strong: (token: Tokens.Strong) => <strong>{inner(token)}</strong>,
  em: (token: Tokens.Em) => <em>{inner(token)}</em>,
  del: (token: Tokens.Del) => <del>{inner(token)}</del>,
  codespan: (token: Tokens.Codespan) => <code>{visible(token.text)}</code>,
  code: (token: Tokens.Code) => <pre class="code">{visible(token.text)}</pre>,
  blockquote: (token: Tokens.Blockquote) => (
    <blockquote>
      <Inline tokens={token.tokens} />
    </blockquote>
  ),
  heading: (token: Tokens.Heading) => {
    const Heading = HEADINGS[token.depth - 1];
    return <Heading>{inner(token)}</Heading>;
  },
  link: (token: Tokens.Link) => <Link href={token.href}>{inner(token)}</Link>,
  image: (token: Tokens.Image) => <Link href={token.href}>[image: {visible(token.text)}]</Link>,
  list: (token: Tokens.List) => {
    const items = token.items.map((item, index) => <li key={index}>{inner(item)}</li>);
    return token.ordered ? <ol start={Number(token.start) || 1}>{items}</ol> : <ul>{items}</ul>;
  },
  table: (token: Tokens.Table) => (
    <table>
      <thead>
        <tr>
          {token.header.map((cell) => (
            <th key={cell.text}>{inner(cell)}</th>
          ))}
        </tr>
      </thead>
      <tbody>
        {token.rows.map((row, index) => (
          <tr key={index}>
            {row.map((cell, place) => (
              <td key={place}>{inner(cell)}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  ),
};

function Inline({ tokens }: { tokens: Token[] }) {
  return <>{tokens.map((token) => (ELEMENTS[token.type] ?? ((other) => visible(other.raw)))(token))}</>;
}

export function Markdown({ text }: { text: string }) {
  if (text.length > LONGEST) return <Text text={text} />;
  return (
    <div class="markdown">
      <Inline tokens={lexer(text)} />
    </div>
  );
}

const MARKS = /^#{1,6} |^\s*[-*] |^\s*\d+\. |\*\*[^*\n]+\*\*|```|\[[^\]\n]+\]\([^)\n]+\)|^\|.*\|$/m;

export const looksLikeMarkdown = (text: string): boolean => text.length <= LONGEST && MARKS.test(text);
