import ModelMaker

/// `graphrun demo-models`: the miniature models with vocabularies of our own, in ComfyUI's folder layout.
enum DemoModels {
    static func make(in folder: String, _ console: any Console) throws {
        let vocabularies = DemoTokenizers()
        try vocabularies.write(to: folder + "/tokenizers")
        // Rows of T5's table beyond the vocabulary, as in the released model.
        let models = DemoManifests.all(clipTokens: vocabularies.clipSize, t5Tokens: vocabularies.t5Size + 28)
        for (path, manifest) in models {
            let size = try Manifest(parsing: manifest).write(to: "\(folder)/\(path).safetensors")
            console.noteLine("\(path).safetensors  \(size / 1_000_000) MB")
        }
        console.noteLine("miniature models are in \(folder): graphrun WORKFLOW --models \(folder)")
    }
}
