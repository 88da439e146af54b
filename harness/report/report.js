"use strict";
// The two maps of a comparison are laid over each other, with a slider that wipes between them.
for (const pair of document.querySelectorAll(".compare")) {
  const slider = document.createElement("input");
  slider.type = "range";
  slider.min = 0;
  slider.max = 100;
  slider.value = 50;
  slider.setAttribute("aria-label", pair.dataset.label);
  const wipe = () => pair.style.setProperty("--cut", slider.value + "%");
  slider.addEventListener("input", wipe);
  wipe();
  pair.classList.add("wiped");
  pair.append(slider);
}
