// The storage account of the Functions host and of the work queue; no shared keys.
// The host documents that its own storage needs Storage Blob Data Owner: leases, keys and the
// package are blobs. Of queues the app may touch its own two, and no other.
param name string
param location string
param tags object
@description('Reached through a private endpoint only.')
param isPrivate bool
param appPrincipalId string
param operatorPrincipalIds string[]

@description('Storage Blob Data Owner.')
var blobRole = 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
@description('Storage Queue Data Contributor.')
var queueRole = '974c5e8b-45b9-4653-ba55-5f855dd0fb88'

@description('As in src/azure/names.ts; the host derives the name of the second from the first.')
var queueNames = ['holdfast-work', 'holdfast-work-poison']

resource account 'Microsoft.Storage/storageAccounts@2024-01-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: 'Standard_ZRS' }
  properties: {
    allowSharedKeyAccess: false
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: isPrivate ? 'Disabled' : 'Enabled'
    networkAcls: { bypass: 'None', defaultAction: isPrivate ? 'Deny' : 'Allow' }
  }

  resource blobs 'blobServices' = {
    name: 'default'
    resource packages 'containers' = {
      name: 'app-package'
      properties: { publicAccess: 'None' }
    }
  }

  resource queueService 'queueServices' = {
    name: 'default'
    resource queues 'queues' = [for queueName in queueNames: { name: queueName }]
  }
}

resource appOwnsBlobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account.id, appPrincipalId, blobRole)
  scope: account
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobRole)
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
  }
}

resource appUsesQueues 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (queueName, index) in queueNames: {
    name: guid(account.id, queueName, appPrincipalId, queueRole)
    scope: account::queueService::queues[index]
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', queueRole)
      principalId: appPrincipalId
      principalType: 'ServicePrincipal'
    }
  }
]

@description('For the command that shows and puts back what the host gave up on: docs/operations.md.')
resource operatorsUseQueues 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for principalId in operatorPrincipalIds: {
    name: guid(account.id, principalId, queueRole)
    scope: account
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', queueRole)
      principalId: principalId
    }
  }
]

output id string = account.id
output blobEndpoint string = account.properties.primaryEndpoints.blob
output queueEndpoint string = account.properties.primaryEndpoints.queue
output deploymentContainer string = account::blobs::packages.name
