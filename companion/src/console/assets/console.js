// What htmx does not do: copying a text, and asking before what cannot be undone.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const text = document.getElementById(button.dataset.copy).textContent;
  const said = button.parentElement.querySelector("[role=status]");
  try {
    await navigator.clipboard.writeText(text);
    said.textContent = "Copied.";
  } catch {
    said.textContent = "The browser refuses to copy. Select the text and copy it by hand.";
  }
});
document.addEventListener("submit", (event) => {
  const question = event.submitter?.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});
// Live rows: the newest 200 stay.
document.addEventListener("htmx:sseMessage", (event) => {
  const list = event.target.closest("[data-live]");
  if (!list) return;
  while (list.children.length > 200) list.lastElementChild.remove();
});
