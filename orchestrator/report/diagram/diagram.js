export function mount(element, data, options = {}) {
  element.textContent = `${data.lanes.length} machines`;
}
