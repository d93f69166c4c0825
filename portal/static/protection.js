/* <porchlight-protection>: an offer of cover in any page. No dependency, no cookie, nothing chosen
   beforehand. If anything goes wrong it is simply not there, and the checkout works without it. */
(() => {
  const home = new URL(document.currentScript?.src || location.href).origin;
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`
:host { all: initial !important; display: block !important; container-type: inline-size !important; contain-intrinsic-inline-size: 320px !important; }
:host([data-state=none]) { display: none !important; }
.box { all: initial; display: flex; flex-direction: column; box-sizing: border-box; min-block-size: var(--porchlight-height, calc(736px + var(--record, 0px))); color-scheme: light dark;
  font: 400 16px/1.5 var(--porchlight-font, system-ui, sans-serif); color: var(--porchlight-ink, light-dark(#1c1f1d, #eceeec));
  background: var(--porchlight-surface, light-dark(#fff, #1d201e)); border: 1px solid var(--porchlight-line, light-dark(#d5d9d6, #434844));
  border-radius: var(--porchlight-radius, 10px); padding: 16px; text-align: start; direction: inherit; }
.box *, .box *::before { box-sizing: border-box; }
h2 { font-size: 18px; line-height: 1.3; font-weight: 650; margin: 0; display: flex; gap: 4px 12px; flex-wrap: wrap; justify-content: space-between; }
p, ul { margin: 8px 0 0; padding: 0; }
ul { display: grid; gap: 4px; list-style: none; font-size: 15px; color: var(--porchlight-muted, light-dark(#4d5450, #b9c0bb)); }
.rights { font-size: 15px; }
fieldset { border: 0; margin: auto 0 0; padding: 14px 0 0; min-inline-size: 0; display: grid; gap: 8px; grid-template-columns: 1fr; grid-auto-rows: 1fr; }
legend { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
label { display: flex; gap: 10px; align-items: center; min-block-size: 52px; padding: 8px 14px; cursor: pointer; font-weight: 600;
  border: 1px solid var(--porchlight-edge, light-dark(#747b76, #8d958f)); border-radius: 8px; }
label:has(:checked) { border-color: var(--porchlight-brand, light-dark(#1d5c3f, #8fd3b0)); box-shadow: inset 0 0 0 1px var(--porchlight-brand, light-dark(#1d5c3f, #8fd3b0)); }
label:has(:focus-visible) { outline: 3px solid var(--porchlight-brand, light-dark(#1d5c3f, #8fd3b0)); outline-offset: 2px; }
input { inline-size: 22px; block-size: 22px; margin: 0; flex: none; accent-color: var(--porchlight-brand, light-dark(#1d5c3f, #8fd3b0)); }
[role=status] { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
:host([record]) .box { --record: 140px; }
@container (min-width: 320px) { .box { min-block-size: var(--porchlight-height, calc(624px + var(--record, 0px))); } }
@container (min-width: 360px) { .box { min-block-size: var(--porchlight-height, calc(566px + var(--record, 0px))); } }
@container (min-width: 400px) { .box { min-block-size: var(--porchlight-height, calc(544px + var(--record, 0px))); } }
@container (min-width: 500px) { .box { min-block-size: var(--porchlight-height, calc(430px + var(--record, 0px))); } fieldset { grid-template-columns: 1fr 1fr; } }
@container (min-width: 600px) { .box { min-block-size: var(--porchlight-height, calc(400px + var(--record, 0px))); } }
@container (min-width: 320px) { :host([record]) .box { --record: 118px; } }
@container (min-width: 400px) { :host([record]) .box { --record: 96px; } }
@container (min-width: 500px) { :host([record]) .box { --record: 72px; } }
@media (forced-colors: active) { label:has(:checked) { outline: 2px solid; } }
`);
  const made = (name, text, more = {}) => Object.assign(document.createElement(name), { textContent: text || "" }, more);

  class Protection extends HTMLElement {
    static formAssociated = true;
    static observedAttributes = ["cart", "token", "lang"];
    #inside = this.attachInternals();
    #asked = 0;
    #offer = null;
    #choice = null;
    #shownAt = null;

    constructor() {
      super();
      const root = this.attachShadow({ mode: "open" });
      root.adoptedStyleSheets = [sheet];
      root.append(made("div", "", { className: "box" }));
      this.#box.setAttribute("aria-busy", "true");
    }
    get #box() { return this.shadowRoot.querySelector(".box"); }

    /** What was chosen: "accept", "decline" or null, with the quote and its price. */
    get value() {
      const offer = this.#choice === "accept" ? this.#offer : null;
      return {
        choice: this.#choice,
        quote: offer ? offer.quote : null,
        premium_minor: offer ? offer.premium_minor : 0,
        text_version: this.#offer ? this.#offer.text_version : null,
        shown_at: this.#shownAt,
        preselected: false,
      };
    }
    /** The cart: {currency, country, lines, shipping_minor}. */
    set cart(cart) { this.setAttribute("cart", JSON.stringify(cart)); }

    connectedCallback() { this.#later(); }
    attributeChangedCallback() { if (this.isConnected) this.#later(); }
    formResetCallback() { this.#choice = null; this.#draw(); this.#tell(); }

    #later() {
      const turn = ++this.#asked;
      queueMicrotask(() => turn === this.#asked && this.#ask(turn));
    }
    async #ask(turn) {
      let offer = null;
      try {
        const headers = { "Content-Type": "application/json", Authorization: `Bearer ${this.getAttribute("token")}` };
        if (this.lang) headers["Accept-Language"] = this.lang;
        const answer = await fetch(`${this.getAttribute("home") || home}/api/v1/protection/quotes`, {
          method: "POST", headers, body: this.getAttribute("cart"), credentials: "omit",
          referrerPolicy: "no-referrer", signal: AbortSignal.timeout(6000),
        });
        if (answer.ok) offer = await answer.json();
      } catch { /* not there: the checkout works without it */ }
      if (turn !== this.#asked) return;
      const before = this.#offer;
      this.#offer = offer && offer.quote && offer.words ? offer : null;
      if (!this.#offer || (before && before.premium_minor !== this.#offer.premium_minor)) this.#choice = null;
      this.#shownAt = this.#offer ? new Date().toISOString() : null;
      try { this.#draw(before); } catch { this.dataset.state = "none"; }
      this.#tell();
    }
    #draw(before) {
      this.dataset.state = this.#offer ? "offered" : "none";
      if (!this.#offer) { this.#box.replaceChildren(); return; }
      const words = this.#offer.words;
      const facts = made("ul");
      for (const name of ["limit", "returns", "climate", "provider", "how_to_claim", "cancel", "record"])
        if (words[name]) facts.append(made("li", words[name]));
      const title = made("h2");
      title.append(made("span", words.title), made("span", words.price));
      const choices = made("fieldset");
      choices.append(made("legend", `${words.title}, ${words.price}`), ...["accept", "decline"].map((each) => this.#option(each, words[each])));
      const said = made("p", "");
      said.setAttribute("role", "status");
      this.#box.removeAttribute("aria-busy");
      this.#box.replaceChildren(title, made("p", words.summary), facts, made("p", words.rights, { className: "rights" }), choices, said);
      if (before && before.premium_minor !== this.#offer.premium_minor)
        queueMicrotask(() => { said.textContent = `${words.title}: ${words.price}`; });
    }
    #option(choice, words) {
      const label = made("label");
      const input = made("input", "", { type: "radio", name: "choice", value: choice, checked: this.#choice === choice });
      input.addEventListener("change", () => {
        this.#choice = choice;
        this.shadowRoot.querySelector("[role=status]").textContent = words;
        this.#tell();
      });
      label.append(input, made("span", words));
      return label;
    }
    #tell() {
      const value = this.value;
      this.#inside.setFormValue(value.quote || "");
      this.dispatchEvent(new CustomEvent("protection-change", { detail: value, bubbles: true, composed: true }));
    }
  }
  if (!customElements.get("porchlight-protection")) customElements.define("porchlight-protection", Protection);
})();
