import CPUBackend
import Foundation
import Tensors

/// What the command line asks for.
struct Options {
    struct Problem: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }

    var command = "all"
    var threads = ProcessInfo.processInfo.activeProcessorCount
    var precisions: [DType] = [.float32, .bfloat16]
    /// Time spent on each measurement.
    var seconds = 1.0
    var clock = MeasuringClock.wall
    /// Measure only what has this in its name.
    var only: String?

    init(_ arguments: [String]) throws {
        var rest = arguments[...]
        if let first = rest.first, !first.hasPrefix("--") { command = rest.removeFirst() }
        while let flag = rest.popFirst() {
            guard let value = rest.popFirst() else { throw Problem("\(flag) needs a value") }
            switch flag {
            case "--threads":
                guard let number = Int(value), number > 0 else {
                    throw Problem("--threads \(value): expected 1 or more")
                }
                threads = number
            case "--precision":
                switch value {
                case "fp32": precisions = [.float32]
                case "bf16": precisions = [.bfloat16]
                default: throw Problem("--precision \(value): expected fp32 or bf16")
                }
            case "--seconds":
                guard let number = Double(value), number > 0 else {
                    throw Problem("--seconds \(value): expected a time")
                }
                seconds = number
            case "--clock":
                switch value {
                case "wall": clock = .wall
                case "cpu": clock = .processor
                default: throw Problem("--clock \(value): expected wall or cpu")
                }
            case "--only": only = value
            default: throw Problem("unknown option \(flag)")
            }
        }
    }
}
