/// Which pack a node type comes from, for messages about types that are missing.
///
/// A line of the table is `OWNER/REPOSITORY;TYPE;TYPE;…`.
public enum PackNames {
    /// The pack's repository on GitHub as "owner/name", or `nil` when the type is not known.
    ///
    /// Types that are not in the table are told by the marks that packs put into names.
    public static func pack(of type: String) -> String? {
        if let known = packs[type] { return known }
        for (mark, pack) in suffixes where type.hasSuffix(mark) { return pack }
        for (mark, pack) in prefixes where type.hasPrefix(mark) { return pack }
        return nil
    }

    /// A phrase for messages: `"X" from the pack owner/name`, or `"X"`.
    public static func phrase(for type: String) -> String {
        pack(of: type).map { "\"\(type.shortened)\" from the pack \($0)" } ?? "\"\(type.shortened)\""
    }

    private static let suffixes: [(String, String)] = [
        ("(rgthree)", "rgthree/rgthree-comfy"),
        ("|pysssss", "pythongosssss/ComfyUI-Custom-Scripts"),
        ("(JPS)", "JPS-GER/ComfyUI_JPS-Nodes"),
        ("(segment anything)", "storyicon/comfyui_segment_anything"),
        ("[Crystools]", "crystian/ComfyUI-Crystools"),
        ("(Image Saver)", "alexopus/ComfyUI-Image-Saver"),
        ("(Efficient)", "jags111/efficiency-nodes-comfyui"),
        ("-🔬", "theUpsider/ComfyUI-Logic"),
        ("GGUF", "city96/ComfyUI-GGUF"),
        ("KJ", "kijai/ComfyUI-KJNodes"),
        ("KJv2", "kijai/ComfyUI-KJNodes"),
        ("Everywhere", "chrisgoringe/cg-use-everywhere"),
        ("+", "cubiq/ComfyUI_essentials"),
    ]

    private static let prefixes: [(String, String)] = [
        ("CR ", "Suzie1/ComfyUI_Comfyroll_CustomNodes"),
        ("easy ", "yolain/ComfyUI-Easy-Use"),
        ("VHS_", "Kosinkadink/ComfyUI-VideoHelperSuite"),
        ("Impact", "ltdrdata/ComfyUI-Impact-Pack"),
        ("INPAINT_", "Acly/comfyui-inpaint-nodes"),
        ("ETN_", "Acly/comfyui-tooling-nodes"),
        ("SUPIR_", "kijai/ComfyUI-SUPIR"),
        ("Vix", "Visionatrix/ComfyUI-Visionatrix"),
        ("ttN ", "TinyTerra/ComfyUI_tinyterraNodes"),
        ("LayerMask: ", "chflame163/ComfyUI_LayerStyle"),
        ("LayerUtility: ", "chflame163/ComfyUI_LayerStyle"),
        ("Nunchaku", "mit-han-lab/ComfyUI-nunchaku"),
        ("InpaintCrop", "lquesada/ComfyUI-Inpaint-CropAndStitch"),
        ("InpaintStitch", "lquesada/ComfyUI-Inpaint-CropAndStitch"),
        ("Fast Groups", "rgthree/rgthree-comfy"),
        ("Anything Everywhere", "chrisgoringe/cg-use-everywhere"),
        ("ApplyAdvancedFlux", "XLabs-AI/x-flux-comfyui"),
    ]

    private static let packs: [String: String] = {
        var result: [String: String] = [:]
        for line in table.utf8.split(separator: UInt8(ascii: "\n")) {
            let fields = line.split(separator: UInt8(ascii: ";")).map { String(Substring($0)) }
            for type in fields.dropFirst() { result[type] = fields[0] }
        }
        return result
    }()
}
