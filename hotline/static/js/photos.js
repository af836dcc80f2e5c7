// Photographs of a report, made small in the browser before they are kept or sent: a canvas writes pixels only, so the
// place and the telephone never leave it. Kept with the draft (drafts.js), sent with it.
(() => {
  "use strict";
  const LONGEST = 2048, QUALITY = 0.85, LARGEST = 20 * 1024 * 1024, AT_MOST = 30;
  const PAPER = /\.(pdf|docx|xlsx)$/i, PICTURE = /\.(jpe?g|png|webp|heic|heif)$/i;

  const small = async (file) => {
    const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
    const scale = Math.min(1, LONGEST / Math.max(picture.width, picture.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(picture.width * scale);
    canvas.height = Math.round(picture.height * scale);
    const paint = canvas.getContext("2d");
    paint.fillStyle = "#fff";
    paint.fillRect(0, 0, canvas.width, canvas.height);
    paint.drawImage(picture, 0, 0, canvas.width, canvas.height);
    picture.close();
    return new Promise((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
  };
  const taken = async (file, kind) => {
    const id = window.hotline.drafts.id();
    if (PAPER.test(file.name) && kind === "contact") {
      if (file.size > LARGEST) throw new Error(`${file.name}：超过 20 MB`);
      return { id, kind, name: file.name, blob: file };
    }
    if (!PICTURE.test(file.name) && !file.type.startsWith("image/")) throw new Error(`${file.name}：不是照片，视频请勿上传`);
    try { return { id, kind, name: `${file.name.replace(/\.[^.]*$/, "") || "照片"}.jpg`, blob: await small(file) }; }
    catch { throw new Error(`${file.name}：这台手机打不开这种图片，请转成 JPEG 再选`); }
  };

  // form: the report's; draft(): its photographs; keep(photos): more were chosen; drop(photo): one was taken out
  const set = (form, draft, keep, drop) => {
    const boxes = [...form.querySelectorAll("[data-photos]")];
    const draw = () => boxes.forEach((box) => {
      const list = box.querySelector(".shot-list"), word = box.querySelector(".shots-label").firstChild.textContent.trim();
      list.querySelectorAll("[data-drawn]").forEach((item) => { URL.revokeObjectURL(item.querySelector("img")?.src); item.remove(); });
      // what the page itself shows as kept stands there once; what an older version sent has no picture here any more
      const drawn = (photo) => photo.kind === box.dataset.photos && photo.blob && !photo.taken && !form.querySelector(`[data-kept="${photo.file}"]`);
      draft().filter(drawn).forEach((photo, at) => {
        const item = document.createElement("li");
        item.dataset.drawn = "";
        const shot = document.createElement(PAPER.test(photo.name) ? "span" : "img");
        shot.className = "shot";
        if (shot.tagName === "IMG") { shot.src = URL.createObjectURL(photo.blob); shot.alt = `${word} ${at + 1}`; }
        else { shot.classList.add("is-paper"); shot.textContent = photo.name; }
        const out = document.createElement("button");
        out.type = "button"; out.className = "btn-icon"; out.textContent = "×"; out.setAttribute("aria-label", `移除${word} ${at + 1}`);
        out.addEventListener("click", () => { out.disabled = true; drop(photo); draw(); });
        item.append(shot, out);
        list.append(item);
      });
    });
    const fault = (box, words) => {
      const said = box.querySelector("[data-photos-fault]");
      said.textContent = words; said.hidden = !words;
    };
    boxes.forEach((box) => box.addEventListener("change", async (event) => {
      const input = event.target.closest("input[type=file]");
      if (!input) return;
      const files = [...input.files], faults = [], added = [];
      input.value = "";
      const there = form.querySelectorAll(".shot-list li").length;
      if (there + files.length > AT_MOST) { fault(box, `一次反馈最多 ${AT_MOST} 个文件，您选了 ${files.length} 个，请分几次上传`); return; }
      box.setAttribute("aria-busy", "true");
      for (const file of files) {
        try { added.push(await taken(file, box.dataset.photos)); } catch (refused) { faults.push(refused.message); }
      }
      box.removeAttribute("aria-busy");
      fault(box, faults.join("；"));
      await keep([...draft(), ...added]);
      draw();
    }));
    draw();
    return { draw };
  };
  window.hotline = Object.assign(window.hotline || {}, { photos: set });
})();
