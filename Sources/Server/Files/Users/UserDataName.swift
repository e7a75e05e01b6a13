import HTTPTypes
import NodeKit

/// The name of a file among a user's data, out of a path segment.
struct UserDataName {
    let name: ConfinedName

    /// - Parameter text: decoded once; what would climb after being decoded once more is refused as well, because other
    ///   servers and proxies do decode again (server-api.md §7).
    /// - Throws: ``HTTPFailure`` 403 for names that lead out, 400 for those that are refused otherwise.
    init(_ text: String) throws(HTTPFailure) {
        do throws(FolderFault) {
            name = try ConfinedName(text)
            if let again = PercentDecoding.decode(text[...]), again != text { _ = try ConfinedName(again) }
        } catch {
            let isEscape = error.code == .outside || text.beginsWithBytes("/") || text.beginsWithBytes("\\")
            throw HTTPFailure(isEscape ? .forbidden : .badRequest, error.message)
        }
        guard !name.isRoot else { throw HTTPFailure(.badRequest, "the file name is empty") }
    }
}
