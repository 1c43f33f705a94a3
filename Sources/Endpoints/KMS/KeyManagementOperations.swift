// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

extension RPCOperation {
    /// Every operation of KMS 2016-01-20 that is built.
    static let keyManagementOperations: [RPCOperation] = [
        .createKey, .describeKey, .listKeys, .updateKeyDescription, .enableKey, .disableKey, .scheduleKeyDeletion,
        .cancelKeyDeletion, .setDeletionProtection, .describeKeyRegions, .describeAccountKmsStatus, .setKeyPolicy, .getKeyPolicy,
        .createAlias, .updateAlias, .deleteAlias, .listAliases, .listAliasesByKeyId,
        .listKeyVersions, .describeKeyVersion, .createKeyVersion, .updateRotationPolicy,
        .getParametersForImport, .importKeyMaterial, .deleteKeyMaterial,
        .encrypt, .decrypt, .generateDataKey, .generateDataKeyWithoutPlaintext, .generateAndExportDataKey, .exportDataKey,
        .reEncrypt,
        .asymmetricSign, .asymmetricVerify, .asymmetricEncrypt, .asymmetricDecrypt, .getPublicKey,
        .tagResource, .untagResource, .listResourceTags, .tagResources, .untagResources, .listTagResources,
    ]
}
