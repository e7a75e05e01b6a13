import HTTPTypes
import JSON

/// Where an upload goes, and under which name.
struct UploadTarget: Sendable {
    let folder: ConfinedFolder
    let place: FileService.Place
    /// As it was sent: it is answered so.
    let subfolder: String
    let name: ConfinedName
    let isReplacing: Bool

    /// Tries before the numbered names are given up.
    private static let attempts = 10_000

    init(_ form: UploadForm, _ file: UploadForm.File, _ service: FileService) throws(HTTPFailure) {
        let type = form.texts["type"] ?? "input"
        guard let place = FileService.Place(rawValue: type) else {
            throw HTTPFailure(.badRequest, "type is \(quoted(type)), expected input, temp or output")
        }
        self.place = place
        folder = service.folder(place)
        subfolder = form.texts["subfolder"] ?? ""
        isReplacing = ["true", "1"].contains(form.texts["overwrite"]?.lowercased() ?? "")
        guard !file.name.isEmpty else { throw HTTPFailure(.badRequest, "the upload's file name is empty") }
        do throws(FolderFault) {
            let below = try ConfinedName(subfolder)
            let own = try ConfinedName(file.name)
            guard own.parts == [file.name] else {
                throw FolderFault(
                    .invalidName, "the file name \(quoted(file.name)) has folders; they belong into the field subfolder"
                )
            }
            name = below.appending(own)
        } catch {
            // Whatever is wrong with a name, 400 (server-api.md §5.1).
            throw HTTPFailure(.badRequest, error.message)
        }
    }

    /// Gives the file its name, or finds that the same content is there already.
    ///
    /// - Returns: the file's name.
    func store(_ content: UnfinishedFile) throws(FolderFault) -> String {
        if isReplacing {
            try folder.finish(content, as: name, replacing: true)
            return name.last
        }
        let uploaded = try content.opened()
        for attempt in 0..<Self.attempts {
            let candidate = attempt == 0 ? name : try name.replacingLast(numbered(attempt))
            if try isSame(uploaded, candidate) { return candidate.last }
            do throws(FolderFault) {
                try folder.finish(content, as: candidate, replacing: false)
                return candidate.last
            } catch {
                guard error.code == .exists else { throw error }
                // Somebody was faster: perhaps with the same content.
                if try isSame(uploaded, candidate) { return candidate.last }
            }
        }
        throw FolderFault(.exists, "there are \(Self.attempts) files named like \(quoted(name.last)) already")
    }

    private func isSame(_ uploaded: OpenedFile, _ candidate: ConfinedName) throws(FolderFault) -> Bool {
        let existing: OpenedFile
        do throws(FolderFault) {
            existing = try folder.open(candidate)
        } catch {
            if error.code == .missing || error.code == .wrongKind { return false }
            throw error
        }
        return try existing.hasSameContent(as: uploaded)
    }

    /// `name (1).ext`
    private func numbered(_ number: Int) -> String {
        let last = name.last
        guard let dot = last.lastIndex(of: "."), dot != last.startIndex else { return "\(last) (\(number))" }
        return "\(last[..<dot]) (\(number))\(last[dot...])"
    }

    func answer(_ stored: String) -> JSON {
        .object(["name": .string(stored), "subfolder": .string(subfolder), "type": .string(place.rawValue)])
    }
}
