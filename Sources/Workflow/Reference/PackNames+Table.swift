// Made by Scripts/make-node-tables.py; do not edit.

extension PackNames {
    /// The packs of node types met in real workflows.
    static let table = """
        Acly/comfyui-inpaint-nodes;INPAINT_ApplyFooocusInpaint;INPAINT_InpaintWithModel;INPAINT_LoadFooocusInpaint;INPA\
        INT_LoadInpaintModel;INPAINT_MaskedBlur;INPAINT_MaskedFill;INPAINT_VAEEncodeInpaintConditioning
        Acly/comfyui-tooling-nodes;ETN_ApplyMaskToImage;ETN_KritaCanvas;ETN_KritaMaskLayer;ETN_KritaOutput
        AlekPet/ComfyUI_Custom_Nodes_AlekPet;DeepTranslatorCLIPTextEncodeNode;DeepTranslatorTextNode
        alexopus/ComfyUI-Image-Saver;Civitai Hash Fetcher;Civitai Hash Fetcher (Image Saver);Image Saver;Sampler Select\
        or (Image Saver);Scheduler Selector (Image Saver)
        aria1th/ComfyUI-LogicUtils;LogicUtil_ReplaceString
        audioscavenger/save-image-extended-comfyui;SaveImageExtended
        calcuis/gguf;LoaderGGUF
        chengzeyi/Comfy-WaveSpeed;ApplyFBCacheOnModel
        chflame163/ComfyUI_LayerStyle;LayerMask: ImageToMask;LayerMask: MaskPreview;LayerUtility: ImageRemoveAlpha;Laye\
        rUtility: TextJoin
        chflame163/ComfyUI_LayerStyle_Advance;LayerMask: SegmentAnythingUltra V2
        chrisgoringe/cg-use-everywhere;Anything Everywhere;Anything Everywhere?;Prompts Everywhere;Seed Everywhere
        city96/ComfyUI-GGUF;DualCLIPLoaderGGUF;UnetLoaderGGUF
        city96/ComfyUI_ExtraModels;OverrideCLIPDevice;OverrideVAEDevice
        crystian/ComfyUI-Crystools;Switch any [Crystools];Switch image [Crystools];Switch mask [Crystools]
        cubiq/ComfyUI_essentials;ConsoleDebug+;GetImageSize+;ImageCASharpening+;ImageComposite+;ImageCompositeFromMaskB\
        atch+;ImageCrop+;ImageDesaturate+;ImageFlip+;ImagePosterize+;ImageResize+;MaskBlur+;MaskFlip+;MaskPreview+;Simp\
        leMath+
        cubiq/ComfyUI_IPAdapter_plus;IPAdapterApply;IPAdapterModelLoader;PrepImageForClipVision
        EeroHeikkinen/ComfyUI-eesahesNodes;InstantX Flux Union ControlNet Loader
        EllangoK/ComfyUI-post-processing-nodes;ColorCorrect
        Fannovel16/comfyui_controlnet_aux;AIO_Preprocessor;CannyEdgePreprocessor;DepthAnythingV2Preprocessor;HEDPreproc\
        essor;InpaintPreprocessor;MiDaS-DepthMapPreprocessor
        giriss/comfy-image-saver;Sampler Selector;Scheduler Selector;String Literal
        Goktug/comfyui-saveimage-plus;SaveImagePlus
        GreenLandisaLie/AuraSR-ComfyUI;AuraSR.AuraSRUpscaler
        jags111/efficiency-nodes-comfyui;Evaluate Integers;KSampler (Efficient);LoRA Stack to String converter;LoRA Sta\
        cker;NNLatentUpscale
        Jonseed/ComfyUI-Detail-Daemon;DetailDaemonSamplerNode
        JPS-GER/ComfyUI_JPS-Nodes;Get Date Time String (JPS);SDXL Prompt Styler (JPS);SDXL Resolutions (JPS);Text Conca\
        tenate (JPS)
        kaibioinfo/ComfyUI_AdvancedRefluxControl;ReduxAdvanced
        kijai/ComfyUI-Florence2;DownloadAndLoadFlorence2Model;Florence2Run
        kijai/ComfyUI-IC-Light;ICLightConditioning;LightSource;LoadAndApplyICLightUnet
        kijai/ComfyUI-KJNodes;ColorMatch;CreateShapeMask;FloatConstant;GetNode;GrowMaskWithBlur;ImageAndMaskPreview;Ima\
        geBatchMulti;ImageConcanate;ImageResizeKJ;RemapMaskRange;ResizeMask;SetNode;WidgetToString
        kijai/ComfyUI-LuminaWrapper;DownloadAndLoadGemmaModel;DownloadAndLoadLuminaModel;LuminaGemmaTextEncode;LuminaGe\
        mmaTextEncodeArea;LuminaT2ISampler;LuminaTextAreaAppend
        kijai/ComfyUI-SUPIR;SUPIR_conditioner;SUPIR_decode;SUPIR_encode;SUPIR_first_stage;SUPIR_model_loader_v2;SUPIR_s\
        ample
        Kosinkadink/ComfyUI-VideoHelperSuite;VHS_DuplicateLatents;VHS_DuplicateMasks;VHS_LoadImagePath
        lldacing/ComfyUI_PuLID_Flux_ll;ApplyPulidFlux;PulidFluxEvaClipLoader;PulidFluxInsightFaceLoader;PulidFluxModelL\
        oader
        lquesada/ComfyUI-Inpaint-CropAndStitch;InpaintCrop;InpaintCropImproved;InpaintStitch;InpaintStitchImproved
        lrzjason/Comfyui-In-Context-Lora-Utils;ConcatContextWindow;CreateContextWindow
        ltdrdata/ComfyUI-Impact-Pack;FaceDetailer;ImpactConvertDataType;ImpactMakeImageBatch;ImpactNeg;ImpactSwitch;Imp\
        actWildcardProcessor;PreviewBridge;SAMLoader;ToBinaryMask
        ltdrdata/ComfyUI-Impact-Subpack;UltralyticsDetectorProvider
        mcmonkeyprojects/sd-dynamic-thresholding;DynamicThresholdingFull
        mit-han-lab/ComfyUI-nunchaku;NunchakuFluxDiTLoader;NunchakuFluxLoraLoader;NunchakuTextEncoderLoader
        omar92/ComfyUI-QualityOfLifeSuit_Omar92;Concat Text _O
        pythongosssss/ComfyUI-Custom-Scripts;LoraLoader|pysssss;MathExpression|pysssss;PlaySound|pysssss;ShowText|pysss\
        ss;StringFunction|pysssss
        receyuki/comfyui-prompt-reader-node;SDPromptReader
        rgthree/rgthree-comfy;Any Switch (rgthree);Bookmark (rgthree);Context (rgthree);Context Switch (rgthree);Displa\
        y Int (rgthree);Fast Bypasser (rgthree);Fast Groups Bypasser (rgthree);Fast Groups Muter (rgthree);Fast Muter (\
        rgthree);Image Comparer (rgthree);Label (rgthree);Mute / Bypass Relay (rgthree);Mute / Bypass Repeater (rgthree\
        );Node Combiner (rgthree);Reroute (rgthree);Seed (rgthree)
        shadowcz007/comfyui-mixlab-nodes;ChinesePrompt_Mix;PreviewMask_
        sipherxyz/comfyui-art-venture;ImageScaleToMegapixels
        Slickytail/ComfyUI-InstantX-IPAdapter-SD3;ApplyIPAdapterSD3;IPAdapterSD3Loader
        Smirnov75/ComfyUI-mxToolkit;mxSlider
        stavsap/comfyui-ollama;OllamaGenerate;OllamaVision
        storyicon/comfyui_segment_anything;GroundingDinoModelLoader (segment anything);GroundingDinoSAMSegment (segment\
         anything);SAMModelLoader (segment anything)
        Suzie1/ComfyUI_Comfyroll_CustomNodes;CR Apply LoRA Stack;CR Apply Multi Upscale;CR Aspect Ratio;CR Binary To Bi\
        t List;CR Color Tint;CR Feathered Border;CR Float To String;CR Increment Float;CR Index Increment;CR Integer To\
         String;CR LoRA Stack;CR Load Image List;CR Multi Upscale Stack;CR Multiline Text;CR Overlay Transparent Image;\
        CR Prompt Text;CR SDXL Aspect Ratio;CR Set Value On Binary;CR Simple Image Compare;CR Split String;CR String To\
         Combo;CR String To Number;CR Text;CR Text Concatenate;CR Text Input Switch;CR Text Operation;CR Upscale Image
        theUpsider/ComfyUI-Logic;Bool-🔬;Float-🔬;Int-🔬;String-🔬
        TinyTerra/ComfyUI_tinyterraNodes;ttN int;ttN text
        TTPlanetPig/Comfyui_JC2;ExtraOptionsNode;JoyCaption2_simple
        TTPlanetPig/Comfyui_Object_Migration;TTP_Expand_And_Mask;TTP_text_mix
        TTPlanetPig/Comfyui_TTP_Toolset;TTP_CoordinateSplitter;TTP_Image_Tile_Batch;TTP_Tile_image_size;TTP_condsetarea\
        _merge;TTP_condtobatch
        Visionatrix/ComfyUI-RemoteVAE;RemoteVAEDecode
        Visionatrix/ComfyUI-Visionatrix;VixCheckboxLogic;VixDynamicLoraDefinition;VixUiAspectRatioSelector;VixUiCheckbo\
        xLogic;VixUiList;VixUiPrompt;VixUiRangeFloat;VixUiRangeInt;VixUiWorkflowMetadata
        WASasquatch/was-node-suite-comfyui;Constant Number;Image Blank;Image Filter Adjustments;Load Image Batch;Seed;T\
        ext Concatenate;Text Find and Replace;Text Multiline
        XLabs-AI/x-flux-comfyui;ApplyFluxControlNet;ApplyFluxIPAdapter;FluxLoraLoader;LoadFluxControlNet;LoadFluxIPAdap\
        ter;XlabsSampler
        yolain/ComfyUI-Easy-Use;dynamicThresholdingFull;easy anythingIndexSwitch;easy cleanGpuUsed;easy controlnetNames\
        ;easy float;easy imageBatchToImageList;easy imageInsetCrop;easy imageSize;easy int;easy positive;easy prompt;ea\
        sy stylesSelector;easy textSwitch
        """
}
