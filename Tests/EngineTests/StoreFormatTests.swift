import Diffusion
import Foundation
import JSON
import NodeKit
import Tensors
import Testing

@testable import Engine

@Suite struct StoredValueTests {
    /// Stores one value and reads it in another store, as another process would.
    private func roundTrip<Value: NodeValue>(_ value: Value, types: StorableTypes = .standard) throws -> Value {
        let test = TestStore(types: types)
        test.put([[value]], "value")
        let other = TestStore(test.folder, types: types)
        let read = try #require(other.get("value"))
        #expect(other.complaints.all.isEmpty)
        #expect(read.outputs.count == 1 && read.outputs[0].count == 1)
        return try #require(read.outputs[0][0] as? Value)
    }

    @Test(arguments: [0, -1, Int.max, Int.min]) func integers(_ number: Int) throws {
        #expect(try roundTrip(number) == number)
    }
    @Test(arguments: [0, 7, UInt64.max, UInt64(Int64.max) + 1]) func seeds(_ number: UInt64) throws {
        #expect(try roundTrip(number) == number)
    }
    @Test(arguments: [0, -0.0, 0.1, 1e300, .leastNonzeroMagnitude, .infinity, -.infinity, .nan, 3])
    func numbers(_ number: Double) throws {
        #expect(try roundTrip(number).bitPattern == number.bitPattern)
    }
    @Test(arguments: [true, false]) func switches(_ value: Bool) throws { #expect(try roundTrip(value) == value) }
    @Test(arguments: ["", "a\u{0}b", "\"\\\n\t\u{1F600}é", String(repeating: "x", count: 100_000)])
    func texts(_ text: String) throws { #expect(try roundTrip(text) == text) }
    @Test func json() throws {
        let json = try JSON(parsing: "{\"a\": [1, 2.5, null, true, \"x\", 18446744073709551615], \"b\": {}}")
        #expect(try roundTrip(JSONNodeValue(json)).json == json)
        let deep = String(repeating: "[", count: 200) + String(repeating: "]", count: 200)
        #expect(try roundTrip(JSONNodeValue(JSON(parsing: deep))).json == JSON(parsing: deep))
    }

    @Test(arguments: DType.allCases) func picturesOfEveryType(_ type: DType) throws {
        let tensor = try ramp([2, 5, 7, 3], type)
        #expect(try bits(roundTrip(Image(tensor)).tensor) == bits(tensor))
    }
    @Test func viewsAndEmptyTensors() throws {
        let whole = try ramp([4, 6, 8])
        let view = try whole.slice(axis: 1, 1..<3)
        #expect(try bits(roundTrip(Mask(view)).tensor) == bits(view))
        let none = try Tensor([Float](), shape: [0, 4, 4])
        #expect(try roundTrip(Mask(none)).tensor.shape == [0, 4, 4])
    }
    @Test func latents() throws {
        let plain = Latent(samples: try ramp([1, 16, 4, 4]))
        #expect(try roundTrip(plain).noiseMask == nil)
        #expect(try roundTrip(plain).batchIndices == nil)
        let full = Latent(samples: try ramp([2, 4, 3, 5]), noiseMask: try ramp([1, 8, 8]), batchIndices: [3, 0])
        let read = try roundTrip(full)
        #expect(try bits(read.samples) == bits(full.samples))
        #expect(try bits(#require(read.noiseMask)) == bits(#require(full.noiseMask)))
        #expect(read.batchIndices == [3, 0])
    }
    @Test func schedules() throws {
        let values: [Float] = [14.6, 1, 0.25, 0, -0.0]
        #expect(try roundTrip(Sigmas(values)).values.map(\.bitPattern) == values.map(\.bitPattern))
        #expect(try roundTrip(Sigmas([])).values.isEmpty)
    }

    @Test func conditioningsWithAllTheirProperties() throws {
        var first = ConditioningEntry(context: try ramp([1, 7, 12], .float16))
        first[PooledOutput.self] = try ramp([1, 9])
        first[Guidance.self] = .some(3.5)
        first[TimestepRange.self] = PercentRange(start: 0.1, end: 0.7)
        first[EntryStrength.self] = 0.3
        first[ControlForNegative.self] = true
        var second = ConditioningEntry(context: try ramp([1, 3, 12]))
        second[Guidance.self] = .some(nil)
        let read = try roundTrip(ConditioningValue([first, second])).entries
        #expect(read.count == 2)
        #expect(try bits(read[0].context) == bits(first.context))
        #expect(try bits(#require(read[0][PooledOutput.self])) == bits(#require(first[PooledOutput.self])))
        #expect(read[0][Guidance.self] == .some(3.5))
        #expect(read[0][TimestepRange.self] == PercentRange(start: 0.1, end: 0.7))
        #expect(read[0][EntryStrength.self] == 0.3)
        #expect(read[0][ControlForNegative.self] == true)
        #expect(read[1][PooledOutput.self] == nil)
        // Absent is another thing than "no guidance".
        #expect(read[1][Guidance.self] == .some(.some(nil)) && read[0][EntryStrength.self] != nil)
        #expect(read[1][EntryStrength.self] == nil)
    }

    private enum Private: ConditioningKey {
        static let name = "private"
        typealias Value = Int
    }
    private enum Known: ConditioningKey {
        static let name = "known"
        static func stored(_ value: Int) -> StoredContent? { StoredContent(.int(Int64(value))) }
        static func restored(_ content: StoredContent) -> Int? { content.json.intValue }
    }

    @Test func aPropertyThatCannotBeWrittenKeepsTheConditioningOffTheDisk() throws {
        var entry = ConditioningEntry(context: try ramp([1, 2, 3]))
        entry[Private.self] = 5
        let test = TestStore()
        test.put([[ConditioningValue([entry])]], "value")
        #expect(test.get("value") == nil)
        entry[Private.self] = nil
        entry[Known.self] = 7
        test.put([[ConditioningValue([entry])]], "value")
        #expect(test.get("value") == nil, "nobody said how it is read")
        let types = StorableTypes.standard.merging(StorableTypes(conditioningKeys: [Known.self]))
        #expect(try roundTrip(ConditioningValue([entry]), types: types).entries[0][Known.self] == 7)
    }

    @Test func valuesOfOtherTypesAreNotStored() throws {
        let test = TestStore()
        test.put([[1], [WitnessValue(witness: Witness {}, size: 5)]], "value")
        #expect(test.get("value") == nil)
        #expect(test.complaints.all.isEmpty)
    }

    @Test func listsEmptyOutputsAndWhatWasShown() throws {
        let test = TestStore()
        let image = try ramp([1, 2, 2, 3])
        test.put([[1, 2, "three"], [], [Image(image), Image(image)]], "value", ui: ["text": .array(["shown"])])
        let read = try #require(TestStore(test.folder).get("value"))
        #expect(read.outputs.map(\.count) == [3, 0, 2])
        #expect(read.outputs[0][2] as? String == "three")
        #expect(try bits(#require(read.outputs[2][1] as? Image).tensor) == bits(image))
        #expect(read.ui == ["text": .array(["shown"])])
    }
}

@Suite struct DamagedEntryTests {
    private func sample() throws -> TestStore {
        let test = TestStore()
        test.put([[Image(try ramp([1, 3, 3, 3])), Mask(try ramp([1, 5, 5], .uint8))], ["text"]], "value")
        return test
    }

    /// Whatever byte changes, the result is seen to be damaged, removed and told of, and can be stored again.
    @Test func aChangedByteIsNoticedWhereverItIs() throws {
        let test = try sample()
        let good = try test.bytes("value")
        var generator = SystemRandomNumberGenerator()
        for position in good.indices {
            var bytes = good
            bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            try Data(bytes).write(to: URL(fileURLWithPath: test.path("value")))
            let fresh = TestStore(test.folder)
            #expect(fresh.get("value") == nil, "byte \(position) of \(good.count)")
            #expect(fresh.complaints.all.count == 1)
            #expect(!FileManager.default.fileExists(atPath: test.path("value")))
        }
        try Data(good).write(to: URL(fileURLWithPath: test.path("value")))
        #expect(test.get("value") != nil, "the undamaged one is good")
    }

    @Test func aCutFileIsNoticedWhereverItEnds() throws {
        let test = try sample()
        let good = try test.bytes("value")
        for length in good.indices {
            try Data(good[..<length]).write(to: URL(fileURLWithPath: test.path("value")))
            #expect(TestStore(test.folder).get("value") == nil, "cut at \(length)")
        }
        try Data(good + [0]).write(to: URL(fileURLWithPath: test.path("value")))
        #expect(TestStore(test.folder).get("value") == nil, "too long")
    }

    @Test func foreignFilesAndFoldersAreNoTrouble() throws {
        let test = try sample()
        let good = try test.bytes("value")
        for content in [[], Array("hello".utf8), [UInt8](repeating: 0xFF, count: 4096)] {
            try Data(content).write(to: URL(fileURLWithPath: test.path("value")))
            #expect(TestStore(test.folder).get("value") == nil)
        }
        // The result of another node under this one's name.
        test.put([[1]], "other")
        try FileManager.default.createDirectory(
            atPath: URL(fileURLWithPath: test.path("value")).deletingLastPathComponent().path,
            withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: test.path("other"), toPath: test.path("value"))
        #expect(test.get("value") == nil)
        #expect(test.complaints.all.last?.contains("another node") == true)
        #expect(test.get("other") != nil)
        try FileManager.default.createDirectory(atPath: test.path("value"), withIntermediateDirectories: true)
        #expect(TestStore(test.folder).get("value") == nil)
        try FileManager.default.removeItem(atPath: test.path("value"))
        #expect(mkfifo(test.path("value"), 0o600) == 0)
        #expect(TestStore(test.folder).get("value") == nil)
        try? FileManager.default.removeItem(atPath: test.path("value"))
        try Data(good).write(to: URL(fileURLWithPath: test.path("value")))
        #expect(test.get("value") != nil)
    }
}
