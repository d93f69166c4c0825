// Keeps [data-live] up to date. The page is whole without this.
const live = document.querySelector("[data-live]")
const teller = document.querySelector("[role=status]")
const QUIET = 15 // rounds that pass unasked while somebody tells us of news
let etag = ""
let version = live?.dataset.version
let timer = 0
let round = 0
let asking = false
let again = false
let stream = null
let heard = 0 // the round in which the stream last said anything
let tryAt = 0 // the round in which to look for a place at it again

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
  if (asking) return void (again = true) // one after the other: the newest answer comes last
  asking = true
  do {
    again = false
    await look().catch(() => null)
  } while (again)
  asking = false
}

async function look() {
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
  version = answer?.headers.get("Live-Version") || version
  if (answer?.status === 410) location.reload() // the link has ended: the page says so
  if (answer?.headers.has("Live-Stop") || answer?.status === 410) stop()
}

// Be told of news. The stream says nothing but that there is some.
function listen() {
  if (stream || document.hidden) return
  stream = new EventSource(`${live.dataset.events}?since=${version}`)
  stream.onmessage = ask
  stream.addEventListener("beat", () => (heard = round))
  stream.onerror = () => {
    if (stream?.readyState !== EventSource.CLOSED) return // it comes back by itself
    stream = null
    tryAt = round + 6 + Math.floor(Math.random() * 6)
  }
}

function hush() {
  stream?.close()
  stream = null
}

function stop() {
  timer = clearInterval(timer)
  hush()
}

function tick() {
  round += 1
  if (round >= tryAt) listen()
  const told = stream?.readyState === EventSource.OPEN && round - heard < 3
  if (!told || round % QUIET === 0) ask()
}

if (live && !("final" in live.dataset)) {
  timer = setInterval(tick, live.dataset.every * 1000)
  listen()
  document.onvisibilitychange = () => {
    if (!timer) return
    if (document.hidden) return hush()
    ask()
    listen()
  }
}

document.onclick = async ({ target }) => {
  const button = target.closest("[data-copy]")
  if (!button) return
  await navigator.clipboard.writeText(button.dataset.copy)
  const words = button.textContent
  teller.textContent = button.textContent = button.dataset.copied
  setTimeout(() => (button.textContent = words), 2000)
}
