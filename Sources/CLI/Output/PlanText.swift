import Planning
import Tensors

/// A plan for people.
enum PlanText {
    static func lines(_ plan: RunPlan, _ precision: DType) -> [String] {
        var rows: [[String]] = [["node", "", "work", "memory", "time"]]
        for node in plan.nodes {
            let title = node.title == node.classType ? "" : " \"\(printable(node.title))\""
            let state = node.isCached ? "cached" : node.isSkipped ? "not needed" : ""
            rows.append([
                printable(node.id), printable(node.classType) + title,
                state.isEmpty ? operations(node.work.operations) : state,
                node.work.operations > 0 ? bytes(node.memory) : "",
                state.isEmpty ? RunPlan.text(seconds: node.seconds) : "",
            ])
        }
        var lines = table(rows)
        lines += plan.files.map { "file \(printable($0.path)): \(bytes($0.bytes))" }
        let kind = precision == .bfloat16 ? "bf16" : "fp32"
        let all = plan.operations > 0 ? operations(plan.operations) : "no operations"
        lines.append(
            "\(all) at \(Int(plan.speed.peak.rounded())) GFLOP/s (\(kind), measured): about "
                + RunPlan.text(seconds: plan.seconds))
        lines.append("memory: \(bytes(plan.memory)) beside \(bytes(plan.fileBytes)) of files" + fit(plan))
        if let failure = plan.failure { lines.append("a run would fail: " + printable(failure)) }
        return lines
    }

    private static func fit(_ plan: RunPlan) -> String {
        let available = plan.availableMemory.map(bytes) ?? ""
        return switch plan.fit {
        case .fits: "; \(available) are available: it fits"
        case .readsAgain:
            "; \(available) are available: files will be read from disk again and again, which takes longer than said"
        case .tooLarge: "; only \(available) are available: it does not fit"
        case .unknown: ""
        }
    }

    /// Columns of equal width; numbers stand to the right.
    private static func table(_ rows: [[String]]) -> [String] {
        let widths = (0..<5).map { column in min(60, rows.map { $0[column].count }.max() ?? 0) }
        return rows.map { row in
            row.enumerated().map { column, text in
                let space = String(repeating: " ", count: max(0, widths[column] - text.count))
                return column < 2 ? text + space : space + text
            }.joined(separator: "  ")
        }
    }

    /// "1.86 TFLOP"
    static func operations(_ number: Double) -> String {
        guard number > 0 else { return "" }
        let units: [(Double, String)] = [(1e15, "PFLOP"), (1e12, "TFLOP"), (1e9, "GFLOP"), (1e6, "MFLOP")]
        for (size, name) in units where number >= size { return "\(short(number / size)) \(name)" }
        return "\(short(number / 1e3)) kFLOP"
    }

    /// "1.3 GiB"
    static func bytes(_ number: Int) -> String {
        let value = Double(number)
        let units: [(Double, String)] = [(0x1p40, "TiB"), (0x1p30, "GiB"), (0x1p20, "MiB"), (0x1p10, "KiB")]
        for (size, name) in units where value >= size { return "\(short(value / size)) \(name)" }
        return "\(number) bytes"
    }

    /// Three digits.
    private static func short(_ value: Double) -> String {
        guard value.isFinite, value < 1e15 else { return "very many" }
        if value >= 100 { return String(Int(value.rounded())) }
        let scale = value >= 10 ? 10.0 : 100.0
        let digits = Int((value * scale).rounded())
        let rest = String(digits % Int(scale))
        let zeros = String(repeating: "0", count: (scale == 10 ? 1 : 2) - rest.count)
        return "\(digits / Int(scale)).\(zeros)\(rest)"
    }
}
