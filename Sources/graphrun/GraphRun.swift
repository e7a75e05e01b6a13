import Glibc
import GraphRun

@main struct Main {
    static func main() async {
        // A write beyond the limit of the shell (ulimit -f) is then an error as any other.
        _ = signal(SIGXFSZ, SIG_IGN)
        let status = await Program().run(Array(CommandLine.arguments.dropFirst()))
        exit(status.rawValue)
    }
}
