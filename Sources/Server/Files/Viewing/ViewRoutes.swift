import HTTPTypes
import HummingbirdCore
import JSON
import NIOCore
import NodeKit

extension FileService {
    /// `/view` (server-api.md §5.3).
    func addViewRoutes(to routes: inout RouteTable) {
        routes.get(
            "/view",
            RouteDescription(
                "A file of the output, input or temp folder; pictures also in other forms.", tag: "files",
                parameters: [
                    .init("filename", "Its name, perhaps with \" [input]\", \" [output]\" or \" [temp]\" behind."),
                    .init("type", "The folder.", schema: .oneOf("output", "input", "temp")),
                    .init("subfolder", "A folder below it."),
                    .init("preview", "webp or jpeg, with a quality: \"webp;90\"."),
                    .init("channel", "rgb, rgba or a."),
                ],
                answers: [
                    .init(
                        200, "The file.", .bytes, .picture("image/png"), .picture("image/webp"), .picture("image/jpeg")),
                    .init(206, "A part of it.", .bytes), .init(304, "It has not changed."),
                    .init(400, "A name that is refused.", .text), .init(403, "A folder outside.", .text),
                    .init(404, "There is no such file.", .text), .init(412, "A condition does not hold."),
                    .init(413, "A picture too large to be changed.", .text),
                    .init(415, "Not a picture that can be changed.", .text),
                    .init(416, "The range lies behind the file's end."),
                ])
        ) { request in try await view(request) }
    }

    private func view(_ request: ServerRequest) async throws -> Response {
        let query = request.query
        guard let given = query["filename"] else { throw HTTPFailure(.notFound, "no filename was given") }
        let annotated = AnnotatedName(given)
        guard !annotated.name.isEmpty, !annotated.name.beginsWithBytes("/"), !annotated.name.containsBytes("..") else {
            throw HTTPFailure(.badRequest, "the file name \(quoted(given)) is refused")
        }
        let type = query["type"] ?? "output"
        guard let place = annotated.place ?? Place(rawValue: type) else {
            throw HTTPFailure(.badRequest, "type is \(quoted(type)), expected output, input or temp")
        }
        let folder: ConfinedName
        do throws(FolderFault) {
            folder = try ConfinedName(query["subfolder"] ?? "")
        } catch {
            throw HTTPFailure(.forbidden, error.message)
        }
        // Only the last part of the name counts, in the subfolder.
        let last = annotated.name.pathParts(omittingEmpty: false).last ?? ""
        let name: ConfinedName
        do throws(FolderFault) { name = try folder.appending(ConfinedName(last)) } catch { throw error.failure }
        guard !last.isEmpty else { throw HTTPFailure(.notFound, "\(quoted(given)) is a folder") }
        let root = self.folder(place)
        let file = try await onDisk { try root.open(name) }
        let change = PictureChange(preview: query["preview"], channel: query["channel"])
        let isWithoutAlpha = query["channel"] == "rgb"
        let made =
            change == .none
            ? nil
            : try await onPictures { try MadePicture(file, change, isWithoutAlpha: isWithoutAlpha, name: last) }
        guard let made else {
            return FileAnswer(file: file, contentType: ContentType.ofUserFile(last), name: last, isUserFile: true)
                .response(to: request)
        }
        return Response(
            status: .ok,
            headers: [
                .contentType: made.contentType, .contentDisposition: FileAnswer.disposition(last),
                .xContentTypeOptions: "nosniff",
            ], body: ResponseBody(byteBuffer: ByteBuffer(bytes: made.bytes)))
    }
}
