/// The parts of an ELF file (System V ABI, chapter 4) that say whether the system's loader can map it: the loader itself
/// believes them, and a truncated file ends the process with a bus error.
enum SharedObject {
    /// Checks the header, and that the segments and the section table lie inside the file.
    ///
    /// - Throws: ``PluginError``.
    static func check(_ bytes: [UInt8]) throws(PluginError) {
        let header = 64
        guard bytes.starts(with: [0x7F, 0x45, 0x4C, 0x46]) else { throw PluginError("it is not a shared library") }
        guard bytes.count >= header else { throw truncated(bytes) }
        guard bytes[4] == 2, bytes[5] == 1 else {
            throw PluginError("it is not a 64-bit little-endian library")
        }
        let (type, machine) = (number(bytes, 16, 2), number(bytes, 18, 2))
        guard type == 3 else { throw PluginError("it is an ELF file of type \(type), expected a shared library (3)") }
        guard machine == hostMachine else {
            throw PluginError("it is for ELF machine \(machine), this one is \(hostMachine)")
        }
        let (table, entrySize, count) = (number(bytes, 32, 8), number(bytes, 54, 2), number(bytes, 56, 2))
        guard entrySize == 56, count > 0 else { throw PluginError("it has no program headers") }
        guard isInside(table, count * entrySize, bytes.count) else { throw truncated(bytes) }
        // The section table ends a file: without it even a file whose segments are all there was cut.
        let (sections, sectionSize, sectionCount) = (number(bytes, 40, 8), number(bytes, 58, 2), number(bytes, 60, 2))
        guard isInside(sections, sectionCount * sectionSize, bytes.count) else { throw truncated(bytes) }
        var isDynamic = false
        for index in 0..<count {
            let entry = Int(table + index * entrySize)
            let kind = number(bytes, entry, 4)
            let (offset, size) = (number(bytes, entry + 8, 8), number(bytes, entry + 32, 8))
            guard kind == 1 || kind == 2 else { continue }
            guard isInside(offset, size, bytes.count) else { throw truncated(bytes) }
            if kind == 2 { isDynamic = true }
        }
        guard isDynamic else { throw PluginError("it is not a shared library: it has no dynamic section") }
    }

    private static let hostMachine: UInt64 = {
        #if arch(x86_64)
            62
        #elseif arch(arm64)
            183
        #else
            #error("the ELF machine number of this processor is not known")
        #endif
    }()

    private static func truncated(_ bytes: [UInt8]) -> PluginError {
        PluginError("it is truncated: parts of it lie behind its end at \(bytes.count) bytes")
    }

    private static func isInside(_ offset: UInt64, _ size: UInt64, _ total: Int) -> Bool {
        let (end, overflow) = offset.addingReportingOverflow(size)
        return !overflow && end <= UInt64(total)
    }

    /// Little-endian; `at + width` is inside.
    private static func number(_ bytes: [UInt8], _ at: Int, _ width: Int) -> UInt64 {
        (0..<width).reduce(0) { $0 | UInt64(bytes[at + $1]) << UInt64(8 * $1) }
    }
}
