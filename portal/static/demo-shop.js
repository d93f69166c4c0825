/* The demo storefront's sums: they follow the cart, the delivery and the protection at once. */
(() => {
  const form = document.querySelector("form.page");
  const table = form.querySelector(".sums");
  const offer = form.querySelector("porchlight-protection");
  const cost = new Intl.NumberFormat(document.documentElement.lang, { style: "currency", currency: table.dataset.currency });
  const digits = cost.resolvedOptions().maximumFractionDigits;
  const say = (name, minor) => { table.querySelector(`[data-sum=${name}]`).textContent = cost.format(minor / 10 ** digits); };
  const counts = () => [...form.querySelectorAll("select[data-price]")].filter((each) => +each.value);

  function add() {
    const goods = counts().reduce((sum, each) => sum + each.value * each.dataset.price, 0);
    const delivery = +form.querySelector("[name=delivery]:checked").dataset.cost;
    const premium = offer?.value?.premium_minor || 0;
    table.querySelector("[data-row=protection]").hidden = !premium;
    for (const [name, minor] of Object.entries({ goods, delivery, protection: premium, total: goods + delivery + premium })) say(name, minor);
  }
  form.addEventListener("change", (event) => {
    if (offer && event.target.matches("select[data-price]")) {
      const cart = JSON.parse(offer.getAttribute("cart"));
      cart.lines = counts().map(({ value, dataset }) => ({ sku: dataset.sku, quantity: +value, unit_price_minor: +dataset.price, category: dataset.category }));
      if (cart.lines.length) offer.cart = cart;
    }
    add();
  });
  form.addEventListener("protection-change", add);
  add();
})();
