// Counting with a thumb, and numbers read by the camera. The forms are whole without this.
for (const button of document.querySelectorAll("[data-step]")) {
  button.hidden = false
  button.onclick = () => {
    const input = button.parentElement.querySelector("input")
    const next = (parseInt(input.value, 10) || 0) + Number(button.dataset.step)
    input.value = Math.min(Math.max(next, Number(input.min)), Number(input.max))
  }
}

const form = document.querySelector("[data-scan]")
const camera = form?.querySelector("[data-camera]")
const view = form?.querySelector("[data-view]")
const told = form?.querySelector("[data-told]")
const FORMATS = ["qr_code", "code_128", "code_39", "data_matrix", "pdf417", "itf", "ean_13"]

async function look() {
  const can = await BarcodeDetector.getSupportedFormats()
  const reader = new BarcodeDetector({ formats: FORMATS.filter((each) => can.includes(each)) })
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } })
  view.srcObject = stream
  view.hidden = false
  await view.play()
  told.textContent = "Hold the code in front of the camera."
  while (!view.hidden) {
    const [code] = await reader.detect(view).catch(() => [])
    if (code?.rawValue) {
      stream.getTracks().forEach((track) => track.stop())
      view.hidden = true
      form.querySelector("#number").value = code.rawValue
      return form.requestSubmit()
    }
    await new Promise((done) => setTimeout(done, 200))
  }
}

if (camera && "BarcodeDetector" in window && navigator.mediaDevices) {
  camera.hidden = false
  camera.onclick = () =>
    look().catch(() => (told.textContent = "The camera cannot be used here. Type the number instead."))
}
