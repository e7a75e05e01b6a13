import ArgumentParser
import Engine
import Glibc
import Hashing
import JSON
import NodeKit
import Tensors

/// Looks after what is kept on disk.
struct CacheCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cache",
        abstract: "Shows, explains and removes what is kept on disk between runs.",
        subcommands: [List.self, Clear.self, Explain.self])

    /// Lists results.
    struct List: ProgramCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists the results on disk, the most recently used first.")

        @OptionGroup var folder: CacheFolderOptions
        @Option(name: .shortAndLong, help: ArgumentHelp("Show no more than this many.", valueName: "count"))
        var number: Int?
        @Flag(help: "Print JSON.") var json = false

        func execute(_ program: Program) async throws -> ProgramStatus {
            let folder = CacheFolder(try folder.required())
            let store = ResultStore(folder, warn: { program.console.warning($0) })
            let all = store.entries()
            let entries = all.prefix(max(0, number ?? all.count))
            if json {
                program.console.print(JSON.array(entries.map { json($0) }).text(.pretty))
                return .done
            }
            let now = wallClockSeconds()
            for entry in entries {
                let record = entry.record
                let cells = [
                    entry.key.description.prefix(12) + "", bytes(entry.byteCount), duration(entry.seconds),
                    ago(now - Double(entry.used) / 1000), record.type, "node \(record.node) (\(record.title))",
                ]
                let widths = [12, 9, 9, 14, 24, 0]
                let line = zip(cells, widths).map { text, width in
                    text + String(repeating: " ", count: max(0, width - text.count))
                }.joined(separator: "  ")
                program.console.print(printable(line))
            }
            let total = all.reduce(0) { $0 + $1.byteCount }
            program.console.noteLine(
                "\(counted(all.count, "result")), \(bytes(total)) of \(bytes(store.byteLimit)), in \(folder.path)")
            return .done
        }

        private func json(_ entry: ResultStore.Entry) -> JSON {
            .object([
                "key": .string(entry.key.description), "node": .string(entry.record.node),
                "title": .string(entry.record.title), "class_type": .string(entry.record.type),
                "bytes": .int(Int64(entry.byteCount)), "seconds": .double(entry.seconds), "made": .int(entry.made),
                "used": .int(entry.used),
            ])
        }
    }

    /// Removes everything.
    struct Clear: ProgramCommand {
        static let configuration = CommandConfiguration(
            abstract: "Removes all results, digests of files and unfinished work.")

        @OptionGroup var folder: CacheFolderOptions

        func execute(_ program: Program) async throws -> ProgramStatus {
            let path = try folder.required()
            do throws(FileError) {
                try CacheFolder(path).clear()
            } catch {
                throw ProgramError(.runFailed, error.description)
            }
            return .done
        }
    }

    /// Says why nodes would run.
    struct Explain: ProgramCommand {
        static let configuration = CommandConfiguration(
            abstract: "Says for every node of a workflow whether it would run, and why.",
            discussion: "Give the same options as for the run: precision and folders matter.")

        @OptionGroup var workflow: WorkflowOptions
        @OptionGroup var folders: FolderOptions
        @OptionGroup var folder: CacheFolderOptions
        @OptionGroup var libraries: NodeOptions
        @Option(help: ArgumentHelp("As in the run.", valueName: "auto|fp32|bf16")) var precision = Precision.auto
        @Flag(help: "Print JSON.") var json = false

        func execute(_ program: Program) async throws -> ProgramStatus {
            let registry = program.registry(libraries)
            let loaded = try LoadedWorkflow(workflow, registry: registry)
            let cache = CacheFolder(try folder.required())
            let files = try folders.folders(digests: FileDigests(cache))
            let report = await GraphEngine.validate(loaded.prompt, registry: registry, files: files)
            guard let validated = report.validated else {
                program.console.error("the workflow cannot run:")
                for line in FaultText.lines(report) { program.console.noteLine("  " + line) }
                return .invalidWorkflow
            }
            let engine = GraphEngine(
                registry: registry, backend: try backend(program), files: files,
                cache: ResultCache(byteLimit: 0),
                store: ResultStore(cache, types: registry.storable, warn: { program.console.warning($0) }))
            let explanation = engine.explain(validated)
            if json {
                program.console.print(explanation.json.text(.pretty))
            } else {
                for node in explanation.nodes { program.console.print(printable(line(node))) }
            }
            return .done
        }

        private func backend(_ program: Program) throws -> any Backend {
            do {
                return try program.composition.backend(precision, nil)
            } catch {
                throw ProgramError(.runFailed, String(describing: error))
            }
        }

        private func line(_ node: CacheExplanation.Node) -> String {
            let name = "node \(node.id) (\(node.title))"
            let verdict =
                switch node.verdict {
                case .kept: "kept"
                case .runs: "runs"
                case .notNeeded: "not needed"
                case .open: "known only when it is run"
                }
            var details = node.reasons
            if node.verdict == .kept, let seconds = node.seconds, let byteCount = node.byteCount, let made = node.made {
                details = [
                    "\(duration(seconds)) of work, \(bytes(byteCount)), "
                        + ago(wallClockSeconds() - Double(made) / 1000)
                ]
            }
            return "\(name): \(verdict)" + (details.isEmpty ? "" : ": " + details.joined(separator: "; "))
        }
    }
}

extension CacheFolderOptions {
    /// The folder for commands that are about nothing else.
    fileprivate func required() throws -> String {
        guard let folder else {
            throw ProgramError(.usage, isOff ? "--no-cache: there is nothing to look at" : "no HOME: give --cache DIR")
        }
        return folder
    }
}

/// "17 B", "3.2 MiB".
func bytes(_ count: Int) -> String {
    var value = Double(count)
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if value < 1024 { return unit == "B" ? "\(count) B" : "\((value * 10).rounded() / 10) \(unit)" }
        value /= 1024
    }
    return "\((value * 10).rounded() / 10) TiB"
}

private func wallClockSeconds() -> Double {
    var time = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Double(time.tv_sec)
}

/// "12 minutes ago".
private func ago(_ seconds: Double) -> String {
    for (unit, length) in [("day", 86400.0), ("hour", 3600), ("minute", 60)] where seconds >= length {
        return counted(Int(seconds / length), unit) + " ago"
    }
    return counted(max(0, Int(seconds)), "second") + " ago"
}
