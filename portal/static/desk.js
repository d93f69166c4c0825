// The queue by keyboard, the panel beside it, who else looks. Every page is whole without this.
const rows = document.querySelector("#rows")
const panel = document.querySelector("aside#peek")
const toast = document.querySelector("[data-batch]")
const token = () => document.querySelector("[name=csrf_token]")?.value ?? ""
const all = (where) => [...document.querySelectorAll(where)]
const lines = () => all("tr[data-row]")
const link = (row) => row.querySelector("td a:not(.peek)")
const box = (row) => row?.querySelector("[name=item]")
const isWide = () => matchMedia("(min-width: 900px)").matches

// --- the row that is here ---

let here = document.querySelector("tr.here")

function go(row) {
  if (!row) return
  here?.classList.remove("here")
  here = row
  here.classList.add("here")
  link(here).focus()
  here.scrollIntoView({ block: "nearest" })
  const last = document.querySelector(".bulk")?.getBoundingClientRect().top ?? innerHeight
  if (here.getBoundingClientRect().bottom > last) scrollBy(0, here.getBoundingClientRect().bottom - last)
}

function move(by) {
  const list = lines()
  const at = list.indexOf(here)
  go(list[at < 0 ? 0 : Math.min(Math.max(at + by, 0), list.length - 1)])
}

// --- the panel ---

let timer = 0
let shown = panel?.querySelector("[data-presence]")?.dataset.presence ?? ""

function peek(subject) {
  clearTimeout(timer)
  if (!panel || !isWide() || subject === shown) return
  timer = setTimeout(async () => {
    const answer = await fetch(`/staff/peek/${subject}${location.search}`).catch(() => null)
    if (answer?.status !== 200 || here?.dataset.row !== subject) return
    leave(shown)
    panel.innerHTML = await answer.text()
    delete panel.dataset.empty
    shown = subject
    say(subject)
  }, 150)
}

rows?.addEventListener("focusin", ({ target }) => {
  const row = target.closest("tr[data-row]")
  if (!row) return
  if (row !== here) {
    here?.classList.remove("here")
    here = row
    here.classList.add("here")
  }
  peek(row.dataset.row)
})

rows?.addEventListener("click", (event) => {
  const row = event.target.closest("tr[data-row]")
  if (!row || !isWide()) return
  if (event.target.closest("a.peek")) event.preventDefault()
  else if (event.target.closest("a, input, label, button")) return
  go(row)
})

// --- who else is here ---

async function say(subject, leaves = "") {
  if (!subject || document.hidden || !token()) return
  const body = new URLSearchParams({ csrf_token: token(), subject, leaves })
  const answer = await fetch("/staff/presence", { method: "POST", body, keepalive: true }).catch(() => null)
  if (answer?.status !== 200 || leaves) return
  const { seen_by: names } = await answer.json()
  for (const note of all(`[data-presence="${subject}"]`)) {
    note.hidden = !names.length
    note.textContent = names.length ? `${names.join(", ")} ${names.length > 1 ? "have" : "has"} this open, too.` : ""
  }
  for (const cell of all(`[data-seen="${subject}"]`))
    cell.textContent = names.length ? `${names.join(", ")} ${names.length > 1 ? "are" : "is"} looking` : ""
}

const leave = (subject) => subject && say(subject, "1")
const open = () => document.querySelector("[data-presence]")?.dataset.presence ?? ""
if (open()) say(open())
setInterval(() => say(open()), 15_000)
addEventListener("pagehide", () => leave(open()))

// --- what was decided a moment ago ---

async function ask() {
  const answer = await fetch(`/staff/queue/batches/${toast.dataset.batch}?part=1`).catch(() => null)
  if (answer?.status === 200 && !toast.contains(document.activeElement)) {
    const undo = toast.querySelector("[name=back]")?.value
    toast.innerHTML = await answer.text()
    const back = toast.querySelector("[name=back]")
    if (back && undo) back.value = undo
  }
  const left = toast.querySelector("[data-left]")
  if (!left) return
  if (+left.dataset.left <= 0) toast.querySelector("form")?.remove()
  setTimeout(ask, 1_000)
}

function count() {
  const left = toast.querySelector("[data-left]")
  if (!left) return
  left.dataset.left = left.textContent = Math.max(0, left.dataset.left - 1)
  if (left.textContent === "0") {
    if (toast.contains(document.activeElement)) document.activeElement.blur()
    ask()
  } else setTimeout(count, 1_000)
}
if (toast && !("ended" in toast.dataset)) setTimeout(count, 1_000)

// --- the bar for chosen rows ---

const chosen = () => all("[name=item]:checked")

function tell() {
  const words = document.querySelector("[data-count]")
  const n = chosen().length
  if (words) words.textContent = n ? `${n} chosen` : "None chosen"
  const every = document.querySelector("#all")
  if (every) every.checked = n > 0 && n === all("[name=item]:not(:disabled)").length
}

const every = document.querySelector("#all")
if (every) every.hidden = false
let last = null
rows?.addEventListener("click", ({ target, shiftKey }) => {
  const row = target.closest?.("tr[data-row]")
  if (target.name !== "item" || !row) return
  if (shiftKey && last && last !== row) {
    const list = lines()
    const [from, to] = [list.indexOf(last), list.indexOf(row)].sort((a, b) => a - b)
    for (const each of list.slice(from, to + 1)) if (!box(each)?.disabled) box(each).checked = target.checked
  }
  last = row
})
rows?.addEventListener("change", ({ target }) => {
  if (target.id === "all")
    for (const each of all("[name=item]:not(:disabled)")) each.checked = target.checked
  tell()
})

// One kind of reason for what is chosen.
function fit(select) {
  const kinds = new Set(chosen().map((each) => each.value.slice(0, 3)))
  for (const option of select.options) {
    const kind = option.value.slice(0, 3)
    option.hidden = option.disabled = kind !== "all" && !(kinds.size === 1 && kinds.has(kind))
  }
  if (select.selectedOptions[0]?.disabled) select.value = [...select.options].find((o) => !o.disabled).value
}

// Choose the row that is here where nothing is chosen; whether anything is.
function pick() {
  if (!chosen().length && here && box(here) && !box(here).disabled) box(here).checked = true
  tell()
  return chosen().length > 0
}

for (const more of all("details.more"))
  more.addEventListener("toggle", () => {
    if (!more.open) return
    for (const other of all("details.more")) if (other !== more) other.open = false
    if (more.querySelector("#code")) fit(more.querySelector("#code"))
    // The event comes late: whoever types within already stays where they are.
    if (!more.querySelector(".pop").contains(document.activeElement)) more.querySelector("select, input")?.focus()
  })

function unfold(field) {
  const more = document.querySelector(field)?.closest("details.more")
  if (!more || !pick()) return
  more.open = true
  document.querySelector(field).focus()
}

// --- keys ---

const press = (button) => button && button.form.requestSubmit(button)
const places = {
  q: "/staff/queue", c: "/staff/queue?view=claims", p: "/staff/queue?view=parcels",
  m: "/staff/queue?view=mine", o: "/staff/orders",
}
let after = ""

function take() {
  const to = document.querySelector("#to")
  if (!to || !pick()) return
  to.value = "me"
  press(to.closest("details").querySelector("button"))
}

function toggle(row) {
  if (!box(row) || box(row).disabled) return
  box(row).checked = !box(row).checked
  tell()
}

function every_one() {
  const boxes = all("[name=item]:not(:disabled)")
  const on = boxes.some((each) => !each.checked)
  for (const each of boxes) each.checked = on
  tell()
}

const acts = {
  j: () => move(1),
  k: () => move(-1),
  o: () => here && link(here).click(),
  p: () => panel?.querySelector("a, button")?.focus(),
  x: () => toggle(here),
  X: every_one,
  a: () => pick() && press(document.querySelector("#rows button[value=approve]")),
  r: () => unfold("#code"),
  e: () => unfold("#to"),
  m: take,
  s: () => unfold("#day"),
  u: () => press(document.querySelector("[data-batch] button[data-key=u]")),
  "/": () => document.querySelector("#search")?.focus(),
  "?": () => document.querySelector("dialog#keys")?.showModal(),
}

function escape() {
  const more = document.querySelector("details.more[open]")
  if (more) more.open = false
  if (here) link(here).focus()
  else document.activeElement?.blur()
}

addEventListener("keydown", (event) => {
  if (!("keys" in document.body.dataset) || event.ctrlKey || event.altKey || event.metaKey) return
  if (event.defaultPrevented || document.querySelector("dialog[open]")) return
  if (event.key === "Escape") return escape()
  if (event.target.closest("input:not([type=checkbox]), select, textarea, [contenteditable]")) return
  if (after === "g" && places[event.key]) return location.assign(places[event.key])
  after = event.key === "g" ? "g" : ""
  const act = acts[event.key]
  if (!act) return
  event.preventDefault()
  act()
})
