import HTTPTypes
import HummingbirdCore
import JSON

extension FileService {
    /// `/upload/image`, `/upload/mask` (server-api.md §5).
    func addUploadRoutes(to routes: inout RouteTable) {
        let fields: JSONObject = [
            "image": .object(["type": .string("string"), "format": .string("binary")]),
            "overwrite": .oneOf("true", "false", "1", "0"),
            "type": .oneOf("input", "temp", "output"),
            "subfolder": .type("string"),
        ]
        var withReference = fields
        withReference["original_ref"] = .type("string")
        let stored = RouteDescription.Answer(
            200, "Where the file is: the name differs from the one sent when another file has that.",
            .json(
                .members(
                    ["name": .type("string"), "subfolder": .type("string"), "type": .type("string")],
                    required: ["name", "subfolder", "type"])))
        let refused = RouteDescription.Answer(400, "A malformed form, or a name that leads out of the folder.", .text)
        let tooLarge = RouteDescription.Answer(413, "More bytes than the server takes.", .text)
        routes.post(
            "/upload/image",
            RouteDescription(
                "Stores a file in the input, temp or output folder.", tag: "files",
                body: [.form(.members(fields, required: ["image"]))], answers: [stored, refused, tooLarge])
        ) { request in
            try await storeUpload(request) { _, file in file.content }
        }
        routes.post(
            "/upload/mask",
            RouteDescription(
                "Stores a picture with the alpha of the upload.", tag: "files",
                body: [.form(.members(withReference, required: ["image", "original_ref"]))],
                answers: [
                    stored, refused, .init(404, "The original picture is not there.", .text), tooLarge,
                ])
        ) { request in
            try await storeUpload(request) { form, file in
                let mask = try MaskUpload(form.texts["original_ref"], self)
                let combined = try folder(.input).begin()
                try combined.append(mask.combined(with: file.content))
                return combined
            }
        }
    }

    private func storeUpload(
        _ request: ServerRequest,
        _ content: @escaping @Sendable (UploadForm, UploadForm.File) throws -> UnfinishedFile
    ) async throws -> Response {
        let form = try await UploadForm(request, file: "image", staging: folder(.input))
        guard let file = form.file else {
            throw HTTPFailure(.badRequest, "the form has no file in its field \"image\"")
        }
        let target = try UploadTarget(form, file, self)
        let name = try await onPictures {
            do {
                return try target.store(content(form, file))
            } catch let fault as FolderFault where fault.code == .outside {
                throw HTTPFailure(.badRequest, fault.message)
            }
        }
        return .json(target.answer(name))
    }
}
