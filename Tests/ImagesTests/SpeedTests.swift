import Dispatch
import Foundation
import Tensors
import Testing

@testable import Images

/// Prints times; asked for by GRAPHRUN_BENCHMARK, since they mean little on a machine that does other things.
@Suite(
    .enabled(if: ProcessInfo.processInfo.environment["GRAPHRUN_BENCHMARK"] != nil, "set GRAPHRUN_BENCHMARK=1"),
    .serialized)
struct SpeedTests {
    func milliseconds(_ name: String, _ body: () throws -> Void) rethrows {
        var best = Double.infinity
        for _ in 0..<5 {
            let start = DispatchTime.now().uptimeNanoseconds
            try body()
            best = min(best, Double(DispatchTime.now().uptimeNanoseconds - start) / 1e6)
        }
        print("\(name): \((best * 10).rounded() / 10) ms")
    }

    @Test func masks() throws {
        var numbers = Numbers(1)
        let mask = try numbers.tensor([1, 1024, 1024])
        try milliseconds("map 1024²") { _ = try invertMask(mask) }
        try milliseconds("GrowMask 200 square, 1024²") { _ = try growMask(mask, by: 200, tapered: false) }
        try milliseconds("GrowMask 200 tapered, 1024²") { _ = try growMask(mask, by: 200, tapered: true) }
        try milliseconds("GrowMask −200 tapered, 1024²") { _ = try growMask(mask, by: -200, tapered: true) }
        try milliseconds("fill holes 1024²") { _ = try fillHoles(mask) }
        var growth = MaskGrowth()
        growth.expand = 2
        growth.blurRadius = 2
        try milliseconds("GrowMaskWithBlur 2, 2, 1024²") { _ = try growMaskWithBlur(mask, growth) }
        growth.blurRadius = 100
        try milliseconds("GrowMaskWithBlur 2, 100, 1024²") { _ = try growMaskWithBlur(mask, growth) }
        try milliseconds("growInpaintMask 6, 1024²") { _ = try growInpaintMask(mask, by: 6) }
        try milliseconds("FeatherMask 1024²") {
            _ = try featherMask(mask, left: 100, top: 100, right: 100, bottom: 100)
        }
    }

    @Test func pictures() throws {
        var numbers = Numbers(2)
        let image = try numbers.tensor([1, 1024, 1024, 3])
        let mask = try numbers.tensor([1, 1024, 1024])
        for method in ResizeMethod.allCases {
            try milliseconds("\(method.rawValue) 1024² → 1536²") {
                _ = try resizeImage(image, width: 1536, height: 1536, method: method)
            }
            try milliseconds("\(method.rawValue) 1024² → 512²") {
                _ = try resizeImage(image, width: 512, height: 512, method: method)
            }
        }
        try milliseconds("composite 1024²") { _ = try compositeImages(image, image, x: 0, y: 0, mask: mask) }
        try milliseconds("outpaint 1024²") {
            _ = try padForOutpaint(image, left: 64, top: 64, right: 64, bottom: 64, feathering: 40)
        }
        try milliseconds("blur 31, 1024²") { _ = try blurImage(image, radius: 31, sigma: 1) }
        try milliseconds("blend 1024²") { _ = try blendImages(image, image, factor: 0.5, .softLight) }
        let smooth = try blurImage(image, radius: 20, sigma: 1)
        try milliseconds("PNG encode 1024²") { _ = try PNGWriter.encode(smooth) }
        let file = try ImageFile(PNGWriter.encode(smooth, texts: [ImageText("prompt", "{}")]))
        try milliseconds("PNG decode 1024²") { _ = try file.picture() }
        try milliseconds("PNG texts 1024²") { _ = try file.texts() }
    }
}
