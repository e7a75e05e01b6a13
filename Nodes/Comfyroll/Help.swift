/// What every node of the pack gives as its last output; nothing uses it (pack-nodes.md §4).
let helpText = "https://github.com/Suzie1/ComfyUI_Comfyroll_CustomNodes/wiki"
