// Keeps [data-live] up to date. The page is whole without this.
const live = document.querySelector("[data-live]")
const teller = document.querySelector("[role=status]")
let etag = ""
let timer = 0

// Make `old` equal to `fresh`, so that focus and open details stay.
function update(old, fresh) {
  if (old.nodeName !== fresh.nodeName) return old.replaceWith(fresh)
  if (!old.attributes) {
    if (old.data !== fresh.data) old.data = fresh.data
    return
  }
  for (const { name } of [...old.attributes])
    if (!fresh.hasAttribute(name) && name !== "open") old.removeAttribute(name)
  for (const { name, value } of fresh.attributes)
    if (old.getAttribute(name) !== value) old.setAttribute(name, value)
  const was = [...old.childNodes]
  const now = [...fresh.childNodes]
  now.forEach((node, at) => (was[at] ? update(was[at], node) : old.append(node)))
  was.slice(now.length).forEach((node) => node.remove())
}

const said = () => live.querySelector("[data-say]")?.dataset.say

async function ask() {
  if (document.hidden) return
  const headers = etag ? { "If-None-Match": etag } : {}
  const answer = await fetch(live.dataset.live, { headers }).catch(() => null)
  if (answer?.status === 200) {
    etag = answer.headers.get("ETag") || ""
    const fresh = live.cloneNode()
    fresh.innerHTML = await answer.text()
    const before = said()
    update(live, fresh)
    if (said() !== before) teller.textContent = said()
  }
  if (answer?.headers.has("Live-Stop")) timer = clearInterval(timer)
}

if (live && !("final" in live.dataset)) {
  timer = setInterval(ask, live.dataset.every * 1000)
  document.onvisibilitychange = () => timer && ask()
}

document.onclick = async ({ target }) => {
  const button = target.closest("[data-copy]")
  if (!button) return
  await navigator.clipboard.writeText(button.dataset.copy)
  const words = button.textContent
  teller.textContent = button.textContent = button.dataset.copied
  setTimeout(() => (button.textContent = words), 2000)
}
