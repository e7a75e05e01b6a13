import Images
import JSON
import NodeKit

/// A picture of the output folder with its mask; front ends give names like "x.png [output]".
struct LoadImageOutput: Node {
    static let info = NodeInfo(
        "LoadImageOutput", displayName: "Load Image (from Outputs)", category: "image", work: .loading
    )
    .experimental

    @Input(
        .type("COMBO"), .imageUpload,
        .option(
            "remote",
            .object([
                "route": .string("/internal/files/output"), "refresh_button": .bool(true),
                "control_after_refresh": .string("first"),
            ]))) var image: String
    @Output var picture: Image
    @Output var mask: Mask

    func fingerprint(_ context: NodeContext) throws -> String? {
        guard $image.isGiven else { return nil }
        return try context.files.fingerprint(path: path(context.files))
    }

    /// A name without annotation is looked for in the input folder, as in the reference, and then where it belongs.
    private func path(_ files: any NodeFiles) throws -> String {
        if let found = try? files.input(image) { return found }
        return try files.input(image.hasSuffix("]") ? image : image + " [output]")
    }

    func run(_ context: NodeContext) async throws {
        let loaded = try ImageFile(path: try path(context.files)).picture()
        picture = Image(loaded.image)
        mask = Mask(loaded.mask)
    }
}
