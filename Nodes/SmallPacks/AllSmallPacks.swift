public import NodeKit

/// Every pack of this module.
public let smallPacks: [NodePack] = [
    logicPack, easyUsePack, impactPack, wasPack, crystoolsPack, mxToolkitPack, visionatrixPack, inpaintNodesPack,
    comfyImageSaverPack, imageSaverPack, tinyterraPack, objectMigrationPack, efficiencyPack, videoHelperPack,
    useEverywherePack, extraModelsPack, mixlabPack, controlNetAuxPack, logicUtilsPack,
]
