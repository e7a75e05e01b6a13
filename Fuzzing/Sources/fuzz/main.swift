import CFuzzer
import Dispatch
import FuzzTarget
import Glibc

/// One input of libFuzzer.
let callback: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt = { data, count in
    let bytes = Array(UnsafeBufferPointer(start: data, count: count))
    let done = DispatchSemaphore(value: 0)
    Task.detached {
        await FuzzTarget.examine(bytes)
        done.signal()
    }
    done.wait()
    return 0
}

var count = CommandLine.argc
var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
exit(LLVMFuzzerRunDriver(&count, &arguments, callback))
