import CoreNodes
import NodeKit
import Testing

struct PackSchemaTests {
    /// Every node of the inventory that there is, with its widgets in the order of files (pack-nodes.md, and files).
    @Test(
        arguments: [
            ("Context (rgthree)", []), ("Any Switch (rgthree)", []), ("Context Switch (rgthree)", []),
            ("Display Int (rgthree)", []), ("Image Comparer (rgthree)", []), ("Seed (rgthree)", ["seed"]),
            ("Float-🔬", ["value"]), ("Int-🔬", ["value"]), ("String-🔬", ["value"]), ("Bool-🔬", ["value"]),
            (
                "GrowMaskWithBlur",
                [
                    "expand", "incremental_expandrate", "tapered_corners", "flip_input", "blur_radius", "lerp_alpha",
                    "decay_factor", "fill_holes",
                ]
            ),
            ("ShowText|pysssss", []),
            ("StringFunction|pysssss", ["action", "tidy_tags", "text_a", "text_b", "text_c"]),
            ("MathExpression|pysssss", ["expression"]), ("PlaySound|pysssss", ["mode", "volume", "file"]),
            ("LoraLoader|pysssss", ["lora_name", "strength_model", "strength_clip"]),
            ("WidgetToString", ["id", "widget_name", "return_all", "node_title", "allowed_float_decimals"]),
            (
                "ImageResizeKJ",
                ["width", "height", "upscale_method", "keep_proportion", "divisible_by", "crop"]
            ),
            ("ImageConcanate", ["direction", "match_image_size"]), ("ImageBatchMulti", ["inputcount"]),
            ("ColorMatch", ["method", "strength"]), ("FloatConstant", ["value"]), ("RemapMaskRange", ["min", "max"]),
            ("ResizeMask", ["width", "height", "keep_proportions", "upscale_method", "crop"]),
            (
                "CreateShapeMask",
                [
                    "shape", "frames", "location_x", "location_y", "grow", "frame_width", "frame_height", "shape_width",
                    "shape_height",
                ]
            ),
            ("ImageAndMaskPreview", ["mask_opacity", "mask_color", "pass_through"]),
            ("CR String To Combo", []), ("CR Text Operation", ["operation"]),
            (
                "CR Multiline Text",
                ["text", "convert_from_csv", "csv_quote_char", "remove_chars", "chars_to_remove", "split_string"]
            ),
            ("CR Float To String", ["float_"]), ("CR Integer To String", ["int_"]), ("CR Prompt Text", ["prompt"]),
            ("CR String To Number", ["round_integer"]), ("CR Text", ["text"]), ("CR Apply LoRA Stack", []),
            (
                "CR Simple Image Compare",
                ["text1", "text2", "footer_height", "font_name", "font_size", "mode", "border_thickness"]
            ),
            (
                "CR Aspect Ratio",
                [
                    "width", "height", "aspect_ratio", "swap_dimensions", "upscale_factor", "prescale_factor",
                    "batch_size",
                ]
            ),
            (
                "CR SDXL Aspect Ratio",
                ["width", "height", "aspect_ratio", "swap_dimensions", "upscale_factor", "batch_size"]
            ),
            ("CR Binary To Bit List", ["bit_string"]), ("CR Index Increment", ["interval"]),
            (
                "CR LoRA Stack",
                (1...3).flatMap { ["switch_\($0)", "lora_name_\($0)", "model_weight_\($0)", "clip_weight_\($0)"] }
            ),
            ("CR Set Value On Binary", ["value_if_1", "value_if_0"]), ("CR Split String", ["text", "delimiter"]),
            ("CR Text Concatenate", ["separator"]), ("CR Text Input Switch", ["Input"]),
            ("GetImageSize+", []), ("MaskPreview+", []),
            ("ImageResize+", ["width", "height", "interpolation", "method", "condition", "multiple_of"]),
            ("ImageCrop+", ["width", "height", "position", "x_offset", "y_offset"]),
            ("MaskBlur+", ["amount", "device"]),
            ("ImageComposite+", ["x", "y", "offset_x", "offset_y"]), ("ImageCompositeFromMaskBatch+", []),
            ("ImageDesaturate+", ["factor", "method"]), ("ImageFlip+", ["axis"]), ("MaskFlip+", ["axis"]),
            ("ImagePosterize+", ["threshold"]), ("SimpleMath+", ["value"]), ("ConsoleDebug+", ["prefix"]),
            ("easy int", ["value"]), ("easy float", ["value"]), ("easy imageSize", []), ("easy cleanGpuUsed", []),
            ("easy textSwitch", ["input"]), ("easy anythingIndexSwitch", ["index"]), ("easy imageBatchToImageList", []),
            ("easy positive", ["positive"]),
            ("easy prompt", ["text", "prefix", "subject", "action", "clothes", "environment", "background", "nsfw"]),
            ("ImpactSwitch", ["select", "sel_mode"]), ("ImpactNeg", []), ("ImpactConvertDataType", []),
            ("ImpactMakeImageBatch", []), ("ToBinaryMask", ["threshold"]),
            ("Text Find and Replace", ["find", "replace"]), ("Text Concatenate", ["delimiter", "clean_whitespace"]),
            ("Text Multiline", ["text"]), ("Constant Number", ["number_type", "number"]), ("Seed", ["seed"]),
            ("Image Blank", ["width", "height", "red", "green", "blue"]),
            ("Switch any [Crystools]", ["boolean"]), ("Switch image [Crystools]", ["boolean"]),
            ("Switch mask [Crystools]", ["boolean"]), ("mxSlider", ["Xi", "Xf", "isfloatX"]),
            ("VixUiWorkflowMetadata", ["name"]), ("VixUiPrompt", ["text"]), ("VixUiRangeInt", ["value"]),
            ("VixUiRangeFloat", ["value"]), ("VixUiList", ["default_value", "possible_values"]),
            ("VixUiAspectRatioSelector", ["aspect_ratio"]), ("VixCheckboxLogic", ["state"]),
            ("VixUiCheckboxLogic", ["state"]),
            ("VixDynamicLoraDefinition", []), ("INPAINT_MaskedFill", ["fill", "falloff"]),
            ("InpaintStitchImproved", []), ("InpaintStitch", ["rescale_algorithm"]),
            (
                "InpaintCrop",
                [
                    "context_expand_pixels", "context_expand_factor", "fill_mask_holes", "blur_mask_pixels",
                    "invert_mask", "blend_pixels", "rescale_algorithm", "mode", "force_width", "force_height",
                    "rescale_factor", "min_width", "min_height", "max_width", "max_height", "padding",
                ]
            ),
            ("LogicUtil_ReplaceString", ["String", "Regex", "ReplaceWith"]),
            (
                "InpaintCropImproved",
                [
                    "downscale_algorithm", "upscale_algorithm", "preresize", "preresize_mode", "preresize_min_width",
                    "preresize_min_height", "preresize_max_width", "preresize_max_height", "mask_fill_holes",
                    "mask_expand_pixels", "mask_invert", "mask_blend_pixels", "mask_hipass_filter",
                    "extend_for_outpainting",
                    "extend_up_factor", "extend_down_factor", "extend_left_factor", "extend_right_factor",
                    "context_from_mask_extend_factor", "output_resize_to_target_size", "output_target_width",
                    "output_target_height", "output_padding",
                ]
            ),
            ("Text Concatenate (JPS)", ["delimiter"]), ("SDXL Resolutions (JPS)", ["resolution"]),
            ("Sampler Selector", ["sampler_name"]), ("Scheduler Selector", ["scheduler"]),
            ("String Literal", ["string"]),
            ("Sampler Selector (Image Saver)", ["sampler_name"]), ("Scheduler Selector (Image Saver)", ["scheduler"]),
            (
                "XlabsSampler",
                [
                    "noise_seed", "steps", "timestep_to_start_cfg", "true_gs", "image_to_image_strength",
                    "denoise_strength",
                ]
            ),
            ("ApplyFluxControlNet", ["strength"]), ("LoadFluxControlNet", ["model_name", "controlnet_path"]),
            ("FluxLoraLoader", ["lora_name", "strength_model"]), ("ttN text", ["text"]), ("ttN int", ["int"]),
            ("TTP_text_mix", ["text1", "text2", "text3", "template"]),
            (
                "TTP_Expand_And_Mask",
                [
                    "fill_mode", "fill_alpha_decision", "expand_left", "expand_right", "expand_top", "expand_bottom",
                    "num_blocks_left", "num_blocks_right", "num_blocks_top", "num_blocks_bottom",
                ]
            ),
            ("Evaluate Integers", ["python_expression", "print_to_console", "a", "b", "c"]),
            (
                "LoRA Stacker",
                ["input_mode", "lora_count"]
                    + (1...49).flatMap { ["lora_name_\($0)", "lora_wt_\($0)", "model_str_\($0)", "clip_str_\($0)"] }
            ),
            ("VHS_DuplicateMasks", ["multiply_by"]), ("VHS_DuplicateLatents", ["multiply_by"]), ("PreviewMask_", []),
            ("CannyEdgePreprocessor", ["low_threshold", "high_threshold", "resolution"]),
            ("OverrideCLIPDevice", ["device"]), ("OverrideVAEDevice", ["device"]), ("Seed Everywhere", ["seed"]),
            ("Anything Everywhere", []), ("Prompts Everywhere", []),
            ("Anything Everywhere?", ["title_regex", "input_regex", "group_regex"]),
        ] as [(String, [String])])
    func inventoryNodes(id: String, widgets: [String]) throws {
        let schema = try definition(id).schema
        #expect(schema.inputs.filter(\.isWidget).map(\.name) == widgets)
        #expect(schema.module.hasPrefix("custom_nodes."))
    }

    @Test func idsAreUniqueAndNotTheCores() {
        let ids = ([corePack] + packs).flatMap(\.definitions).map(\.schema.id)
        #expect(Set(ids).count == ids.count)
    }

    /// Names of outputs that files are known to have.
    @Test(arguments: [
        ("ImpactSwitch", ["selected_value", "selected_label", "selected_index"]),
        ("InpaintCropImproved", ["stitcher", "cropped_image", "cropped_mask"]),
        ("InpaintCrop", ["stitch", "cropped_image", "cropped_mask"]), ("InpaintStitch", ["image"]),
        ("CR Index Increment", ["index", "interval", "show_help"]), ("easy imageSize", ["width_int", "height_int"]),
        ("GetImageSize+", ["width", "height", "count"]), ("ResizeMask", ["mask", "width", "height"]),
        (
            "CR Aspect Ratio",
            ["width", "height", "upscale_factor", "prescale_factor", "batch_size", "empty_latent", "show_help"]
        ),
        ("CreateShapeMask", ["mask", "mask_inverted"]), ("Display Int (rgthree)", []), ("XlabsSampler", ["latent"]),
        (
            "Text Find and Replace",
            ["result_text", "replacement_count_number", "replacement_count_float", "replacement_count_int"]
        ),
    ]) func outputs(id: String, names: [String]) throws {
        #expect(try definition(id).schema.outputs.map(\.name) == names)
    }
}
