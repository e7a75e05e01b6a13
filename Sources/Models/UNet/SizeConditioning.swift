public import Diffusion
internal import JSON
public import Tensors

/// A whole number that SDXL is told about a picture (Podell et al. 2023, "micro-conditioning").
public protocol PictureNumberKey: ConditioningKey where Value == Int {}

extension PictureNumberKey {
    public static func exported(_ value: Int) -> [(name: String, tensor: Tensor)] {
        guard let tensor = try? Tensor([Float(value)], shape: []).converted(to: .int64) else { return [] }
        return [("", tensor)]
    }
    public static func stored(_ value: Int) -> StoredContent? { StoredContent(.int(Int64(value))) }
    public static func restored(_ content: StoredContent) -> Int? { content.json.intValue }
}

/// Width of the training picture that the result should look like, in pixels.
public enum PictureWidth: PictureNumberKey { public static let name = "width" }
/// Its height.
public enum PictureHeight: PictureNumberKey { public static let name = "height" }
/// Columns that were cut off at its left.
public enum PictureCropLeft: PictureNumberKey { public static let name = "crop_w" }
/// Rows that were cut off at its top.
public enum PictureCropTop: PictureNumberKey { public static let name = "crop_h" }
/// Width it was scaled to.
public enum PictureTargetWidth: PictureNumberKey { public static let name = "target_width" }
/// Height it was scaled to.
public enum PictureTargetHeight: PictureNumberKey { public static let name = "target_height" }

/// How beautiful the picture should be, 1…10 (SDXL refiner).
public enum AestheticScore: ConditioningKey {
    public static let name = "aesthetic_score"
    public static func exported(_ value: Float) -> [(name: String, tensor: Tensor)] {
        guard let tensor = try? Tensor([value], shape: []) else { return [] }
        return [("", tensor)]
    }
    public static func stored(_ value: Float) -> StoredContent? { StoredContent(.exactly(Double(value))) }
    public static func restored(_ content: StoredContent) -> Float? { content.json.exactNumber.map { Float($0) } }
}
