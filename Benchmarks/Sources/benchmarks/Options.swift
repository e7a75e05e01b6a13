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
    /// Sides of the pictures, rounds of measurement, pictures at once, and where the model is: the steps of networks.
    var sizes = [512]
    var rounds = 3
    var batch = 1
    var model: String?
    var manifests: String?
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
            case "--model": model = value
            case "--manifests": manifests = value
            case "--size":
                sizes = try value.split(separator: ",").map { text in
                    guard let side = Int(text), side >= 16, side % 16 == 0 else {
                        throw Problem("--size \(value): expected multiples of 16")
                    }
                    return side
                }
            case "--rounds":
                guard let number = Int(value), number > 0 else {
                    throw Problem("--rounds \(value): expected 1 or more")
                }
                rounds = number
            case "--batch":
                guard let number = Int(value), number > 0 else {
                    throw Problem("--batch \(value): expected 1 or more")
                }
                batch = number
            default: throw Problem("unknown option \(flag)")
            }
        }
    }
}
