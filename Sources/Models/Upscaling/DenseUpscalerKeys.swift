import Checkpoints
import Tensors

/// The three layouts of RRDBNet files, renamed to `first`, `blocks.N.dense.M.convK`, `trunk`, `up.N`, `high`, `last`.
///
/// - the first ESRGAN's: `model.0`, `model.1.sub.N.RDBm.convK.0`, `model.1.sub.LAST`, `model.3`, `model.6`, …
/// - ESRGAN's and BSRGAN's later one: `conv_first`, `RRDB_trunk.N.RDBm.convK`, `trunk_conv`, `upconvN`, `HRconv`, …
/// - Real-ESRGAN's: `conv_first`, `body.N.rdbm.convK`, `conv_body`, `conv_upN`, `conv_hr`, `conv_last`
enum DenseUpscalerKeys {
    static func recognises(_ source: WeightSource) -> Bool {
        ["model.1.sub.0.RDB1.conv1.0.weight", "RRDB_trunk.0.RDB1.conv1.weight", "body.0.rdb1.conv1.weight"].contains {
            source.contains($0)
        }
    }

    static func native(_ source: WeightSource) throws(CheckpointError) -> WeightSource {
        let isFirst = source.contains("model.1.sub.0.RDB1.conv1.0.weight")
        let tail = isFirst ? try sequence(source) : [:]
        let trunk = "model.1.sub.\(source.count("model.1.sub.") - 1)."
        return try source.renamed { key, tensor in
            guard let name = isFirst ? renameFirst(key, tail, trunk) : rename(key) else { return nil }
            let rows = 0..<(tensor.shape.rank == 0 ? 1 : tensor.shape[0])
            return [(name, rows, rows)]
        }
    }

    /// Names of the numbered convolutions after the blocks: the two last ones, and before them the enlarging ones.
    private static func sequence(_ source: WeightSource) throws(CheckpointError) -> [String: String] {
        let numbers = source.keys.compactMap { key -> Int? in
            let parts = key.split(separator: ".")
            guard parts.count == 3, parts[0] == "model", parts[2] == "weight" else { return nil }
            return Int(parts[1]).flatMap { $0 > 1 ? $0 : nil }
        }.sorted()
        guard numbers.count >= 2 else {
            throw CheckpointError(
                .missingKey,
                "\(source.name): an ESRGAN ends in at least two convolutions after \"model.1\", found \(numbers.count)")
        }
        var names: [String: String] = [:]
        for (index, number) in numbers.enumerated() {
            let fromEnd = numbers.count - 1 - index
            names["model.\(number)."] = fromEnd == 0 ? "last." : fromEnd == 1 ? "high." : "up.\(index)."
        }
        return names
    }

    private static func renameFirst(_ key: String, _ tail: [String: String], _ trunk: String) -> String? {
        if key.hasPrefix("model.0.") { return "first." + key.dropFirst("model.0.".count) }
        if key.hasPrefix(trunk) { return "trunk." + key.dropFirst(trunk.count) }
        let parts = key.split(separator: ".")
        // model.1.sub.N.RDBm.convK.0.weight, and conv1x1.weight without the number.
        if parts.count >= 7, parts[1] == "1", parts[2] == "sub", let dense = number(parts[4], after: "RDB") {
            return "blocks.\(parts[3]).dense.\(dense - 1).\(parts[5]).\(parts[parts.count - 1])"
        }
        guard parts.count == 3, let name = tail["\(parts[0]).\(parts[1])."] else { return nil }
        return name + parts[2]
    }

    private static func rename(_ key: String) -> String? {
        let parts = key.split(separator: ".")
        if parts.count == 5, parts[0] == "body" || parts[0] == "RRDB_trunk",
            let dense = number(parts[2], after: "rdb") ?? number(parts[2], after: "RDB")
        {
            return "blocks.\(parts[1]).dense.\(dense - 1).\(parts[3]).\(parts[4])"
        }
        guard parts.count == 2 else { return nil }
        let names = [
            "conv_first": "first", "trunk_conv": "trunk", "conv_body": "trunk", "HRconv": "high", "conv_hr": "high",
            "conv_last": "last",
        ]
        if let name = names[String(parts[0])] { return "\(name).\(parts[1])" }
        if let up = number(parts[0], after: "upconv") ?? number(parts[0], after: "conv_up") {
            return "up.\(up - 1).\(parts[1])"
        }
        return nil
    }

    /// The number, from 1, that follows a word.
    private static func number(_ text: Substring, after word: String) -> Int? {
        guard text.hasPrefix(word), let number = Int(text.dropFirst(word.count)), (1...64).contains(number) else {
            return nil
        }
        return number
    }
}
