internal import Glibc
internal import NodeKit

/// Where a saving node puts its files: `NAME_00001_.png`, `NAME_00002_.png`, … in the output folder or below it.
///
/// Rules: `engine-semantics.md` §18. The prefix may contain folders and the tokens `%width%`, `%height%`, `%year%`,
/// `%month%`, `%day%`, `%hour%`, `%minute%`, `%second%`; `%batch_num%` is replaced by ``fileName(batchNumber:suffix:)``.
public struct OutputName: Sendable, Hashable {
    /// The folder that receives the files; it exists.
    public let folder: String
    /// The part of it below the output folder, "" if none.
    public let subfolder: String
    /// The file names' beginning.
    public let stem: String
    /// The number the next file gets.
    public private(set) var counter: Int

    /// Resolves a prefix, makes its folder, and finds the first number that is higher than all in use.
    ///
    /// - Throws: ``ImageError/Code/unwritableFile`` when the prefix leaves the output folder or the folder cannot be
    ///   made or listed.
    public init(
        prefix: String, outputFolder: String, width: Int = 0, height: Int = 0, time: LocalTime = .now
    ) throws(ImageError) {
        let filled = Self.fill(prefix, width: width, height: height, time: time)
        guard !filled.utf8.contains(0) else {
            throw ImageError(.unwritableFile, "the filename prefix \(prefix.debugDescription) contains a NUL character")
        }
        var parts = Self.normalized(filled)
        stem = parts.popLast() ?? "."
        guard !filled.beginsWithBytes("/"), parts.first != ".." else {
            throw ImageError(
                .unwritableFile,
                "the filename prefix \(prefix.debugDescription) leads out of the output folder \(outputFolder); "
                    + "use a name or a path below that folder")
        }
        subfolder = parts.joined(separator: "/")
        folder = Self.join(outputFolder, subfolder)
        try Self.refuseLinks(parts, below: outputFolder, prefix)
        try makeFolder(folder)
        counter = try Self.highestCounter(in: folder, stem: stem).addingReportingOverflow(1).partialValue
    }

    /// Refuses folders of a prefix that are links to somewhere outside the output folder; before any is made.
    private static func refuseLinks(_ parts: [String], below root: String, _ prefix: String) throws(ImageError) {
        let root = root.isEmpty ? "." : root
        guard !parts.isEmpty, let top = realPath(root) else { return }
        var path = root
        for part in parts {
            path = join(path, part)
            // What is not there yet will be made as a folder.
            guard let real = realPath(path) else { return }
            guard real.isPath(in: top) else {
                throw ImageError(
                    .unwritableFile,
                    "the filename prefix \(prefix.debugDescription) leads out of the output folder \(root): \(path) is "
                        + "a link to \(real); use a name or a path below that folder")
            }
        }
    }

    private static func realPath(_ path: String) -> String? {
        guard let resolved = unsafe realpath(path, nil) else { return nil }
        defer { unsafe free(resolved) }
        return unsafe String(cString: resolved)
    }

    /// The next file's name, without its folder; the counter moves on.
    public mutating func fileName(batchNumber: Int = 0, suffix: String = "png") -> String {
        let name = stem.replacing("%batch_num%", with: String(batchNumber))
        let digits = String(counter)
        counter &+= 1
        return "\(name)_\(String(repeating: "0", count: max(0, 5 - digits.count)))\(digits)_.\(suffix)"
    }

    /// A name of this folder as a path.
    public func path(of fileName: String) -> String { Self.join(folder, fileName) }

    private static func join(_ folder: String, _ name: String) -> String {
        if name.isEmpty { return folder }
        return folder.isEmpty ? name : folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
    }

    private static func fill(_ prefix: String, width: Int, height: Int, time: LocalTime) -> String {
        guard prefix.contains("%") else { return prefix }
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : String(number) }
        return
            prefix
            .replacing("%width%", with: String(width))
            .replacing("%height%", with: String(height))
            .replacing("%year%", with: String(time.year))
            .replacing("%month%", with: two(time.month))
            .replacing("%day%", with: two(time.day))
            .replacing("%hour%", with: two(time.hour))
            .replacing("%minute%", with: two(time.minute))
            .replacing("%second%", with: two(time.second))
    }

    /// The parts of a relative path without "." and with ".." taken back where possible.
    private static func normalized(_ path: String) -> [String] {
        var parts: [String] = []
        for part in path.pathParts() where part != "." {
            if part == "..", let last = parts.last, last != ".." {
                parts.removeLast()
            } else {
                parts.append(part)
            }
        }
        return parts
    }

    /// The highest number N in files named `STEM_N_…`, 0 if there is none.
    private static func highestCounter(in folder: String, stem: String) throws(ImageError) -> Int {
        let beginning = Array(stem.utf8) + [UInt8(ascii: "_")]
        var highest = 0
        for name in try fileNames(in: folder) where name.starts(with: beginning) {
            let digits = name.dropFirst(beginning.count).prefix { $0 != UInt8(ascii: "_") }
            guard digits.count < name.count - beginning.count, digits.allSatisfy({ (0x30...0x39).contains($0) }),
                let number = Int(String(decoding: digits, as: UTF8.self)), number < Int.max / 2
            else { continue }
            highest = max(highest, number)
        }
        return highest
    }
}

/// A date and time of day in the machine's time zone.
public struct LocalTime: Sendable, Hashable {
    public var year: Int
    public var month: Int
    public var day: Int
    public var hour: Int
    public var minute: Int
    public var second: Int

    public init(year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int) {
        self.year = year
        self.month = month
        self.day = day
        self.hour = hour
        self.minute = minute
        self.second = second
    }

    public static var now: LocalTime {
        var seconds = time(nil)
        var parts = unsafe tm()
        unsafe localtime_r(&seconds, &parts)
        return unsafe LocalTime(
            year: Int(parts.tm_year) + 1900, month: Int(parts.tm_mon) + 1, day: Int(parts.tm_mday),
            hour: Int(parts.tm_hour), minute: Int(parts.tm_min), second: Int(parts.tm_sec))
    }
}
