import ArgumentParser
import NodeKit
import Server

/// Options of ComfyUI's `main.py` that launchers pass (server-api.md §16).
struct CompatibilityOptions: ParsableArguments {
    @Flag(help: "Compute on the processor, which is what happens anyway.") var cpu = false
    @Flag(help: "Keep the data of several users apart by the header Comfy-User.") var multiUser = false
    @Flag(help: "Load no nodes but those that are built in.") var disableAllCustomNodes = false
    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp(
            "With --disable-all-custom-nodes: load the libraries of these modules all the same.", valueName: "module"))
    var whitelistCustomNodes: [String] = []
    @Flag(help: "Write pictures and other files without the workflow that made them.") var disableMetadata = false
    @Option(help: ArgumentHelp("The longer side of previews.", valueName: "pixels")) var previewSize = 512
    @Option(
        help: ArgumentHelp("How previews of latents are made.", valueName: "none|auto|latent2rgb|taesd"),
        transform: { text in
            guard let method = PreviewOptions.Method(rawValue: text) else {
                throw ValidationError("found \"\(text)\", expected none, auto, latent2rgb or taesd")
            }
            return method
        })
    var previewMethod = PreviewOptions.Method.auto

    @Flag(help: .hidden) var autoLaunch = false
    @Flag(help: .hidden) var disableAutoLaunch = false
    @Flag(help: .hidden) var disableApiNodes = false
    @Flag(help: .hidden) var logStdout = false
    @Flag(help: .hidden) var deterministic = false
    @Option(help: .hidden) var frontEndVersion: String?
    @Option(help: .hidden) var verbose: String?
    @Option(help: .hidden) var cacheRam: String?

    func validate() throws {
        guard (1...8192).contains(previewSize) else {
            throw ValidationError("--preview-size: found \(previewSize), expected 1 to 8192.")
        }
    }

    /// What the user should know of options that do nothing.
    var notes: [String] {
        var notes: [String] = []
        if autoLaunch { notes.append("--auto-launch: no browser is opened") }
        if frontEndVersion != nil {
            notes.append("--front-end-version: nothing is downloaded; give an unpacked front end with --front-end DIR")
        }
        if !whitelistCustomNodes.isEmpty, !disableAllCustomNodes {
            notes.append("--whitelist-custom-nodes means something with --disable-all-custom-nodes only")
        }
        return notes
    }

    func apply(to options: inout ServeOptions) throws {
        options.hasManyUsers = multiUser
        options.previewSize = previewSize
        options.previewMethod = previewMethod
        options.embedsWorkflow = !disableMetadata
    }
}
