public import NodeKit

/// Nodes of ComfyUI-Visionatrix: holders of parameters; what describes them to its own front end is ignored
/// (pack-nodes.md §10).
public let visionatrixPack = NodePack(
    "ComfyUI-Visionatrix",
    nodes: [
        VixUiWorkflowMetadata.self,
        VixUiPrompt.self,
        VixUiRangeInt.self,
        VixUiRangeFloat.self,
        VixUiList.self,
        VixUiAspectRatioSelector.self,
        VixUiCheckbox.self,
        VixCheckboxLogic.self,
        VixUiCheckboxLogic.self,
        VixDynamicLoraDefinition.self,
    ])
