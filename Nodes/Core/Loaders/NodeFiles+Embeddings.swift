import NodeKit

extension NodeFiles {
    /// Path of a textual inversion by the name a prompt gives it, with or without extension; `nil` if there is none.
    func embedding(named name: String) -> String? {
        let known = Set(modelNames("embeddings"))
        let found = ["", ".safetensors", ".pt", ".bin"].map { name + $0 }.first(where: known.contains)
        return found.flatMap { try? model("embeddings", $0) }
    }
}
