// Everything that Holdfast needs in Azure, in one resource group: `azd up`, or
// `az deployment sub create --location <region> --template-file infra/main.bicep`.
// Names of containers, queues and settings are those of src/azure/names.ts and src/azure/settings.ts;
// a test compares them. Nothing here has a key: the app comes to everything with its identity.
targetScope = 'subscription'

@minLength(1)
@maxLength(24)
@description('Name of the environment: part of every resource name.')
param environmentName string

@description('Region of everything. Flex Consumption must be there.')
param location string

@allowed(['22', '24'])
@description('Version of Node.js.')
param nodeVersion string = '24'

@allowed([512, 2048, 4096])
@description('Memory of an instance. 512 MB has a quarter of a core.')
param instanceMemoryMB int = 2048

@minValue(40)
@maxValue(1000)
@description('The most instances that the app may have.')
param maximumInstanceCount int = 100

@minValue(0)
@description('Instances for HTTP that are always there: no cold start, and a charge while idle.')
param alwaysReadyHttp int = 0

@minValue(0)
@description('The same for the work queue.')
param alwaysReadyQueue int = 0

@allowed(['serverless', 'autoscale'])
@description('How Cosmos DB is charged: by request unit, or by what was reserved.')
param cosmosMode string = 'serverless'

@minValue(1000)
@description('With autoscale: the most request units a second, shared by the containers.')
param cosmosMaxThroughput int = 4000

@description('A virtual network, private endpoints, and no public way to storage and Cosmos DB.')
param vnetEnabled bool = false

@description('Client id of an app registration: then callers sign in with Microsoft Entra. Empty: function keys alone.')
param authClientId string = ''

@description('Tenant whose users and apps may sign in.')
param authTenantId string = tenant().tenantId

@description('Origins of pages of your own that call the API, such as https://jobs.example.')
param corsAllowedOrigins string[] = []

@minLength(1)
@description('The share of jobs whose trace is kept, from 0 to 1.')
param traceRatio string = '1'

@minValue(30)
@maxValue(730)
@description('Days that logs, traces and metrics are kept.')
param telemetryRetentionDays int = 30

@description('Addresses that alerts are sent to. None: alerts show in the portal alone.')
param alertEmails string[] = []

@minValue(1)
@description('An alert fires when a job has been open for so many hours.')
param alertOldestJobHours int = 24

@minValue(1)
@maxValue(100)
@description('An alert fires when more of a hundred jobs of a workflow failed within an hour.')
param alertFailurePercent int = 20

@description('Object ids of people or groups who purge, export and mend: they may read and delete documents and messages.')
param operatorPrincipalIds string[] = []

@description('More app settings, such as HOLDFAST_VAR_<name>, or HOLDFAST_SECRET_<name> with a Key Vault reference.')
param extraSettings object = {}

var tags = { 'azd-env-name': environmentName }
var token = toLower(uniqueString(subscription().id, environmentName, location))

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

module identity 'app/identity.bicep' = {
  name: 'identity'
  scope: group
  params: { name: 'id-holdfast-${token}', location: location, tags: tags }
}

module telemetry 'app/telemetry.bicep' = {
  name: 'telemetry'
  scope: group
  params: {
    workspaceName: 'log-holdfast-${token}'
    componentName: 'appi-holdfast-${token}'
    location: location
    tags: tags
    retentionDays: telemetryRetentionDays
    appPrincipalId: identity.outputs.principalId
    operatorPrincipalIds: operatorPrincipalIds
  }
}

module storage 'app/storage.bicep' = {
  name: 'storage'
  scope: group
  params: {
    name: 'st${token}'
    location: location
    tags: tags
    isPrivate: vnetEnabled
    appPrincipalId: identity.outputs.principalId
    operatorPrincipalIds: operatorPrincipalIds
  }
}

module cosmos 'app/cosmos.bicep' = {
  name: 'cosmos'
  scope: group
  params: {
    name: 'cosmos-holdfast-${token}'
    location: location
    tags: tags
    mode: cosmosMode
    maxThroughput: cosmosMaxThroughput
    isPrivate: vnetEnabled
    appPrincipalId: identity.outputs.principalId
    operatorPrincipalIds: operatorPrincipalIds
  }
}

module monitor 'monitor/monitor.bicep' = {
  name: 'monitor'
  scope: group
  params: {
    location: location
    tags: tags
    workbookName: 'holdfast-${token}'
    workspaceId: telemetry.outputs.workspaceId
    componentId: telemetry.outputs.componentId
    cosmosId: cosmos.outputs.id
    emails: alertEmails
    oldestJobHours: alertOldestJobHours
    failurePercent: alertFailurePercent
  }
}

module network 'app/network.bicep' = if (vnetEnabled) {
  name: 'network'
  scope: group
  params: {
    token: token
    location: location
    tags: tags
    storageId: storage.outputs.id
    cosmosId: cosmos.outputs.id
  }
}

module app 'app/function-app.bicep' = {
  name: 'function-app'
  scope: group
  params: {
    name: 'func-holdfast-${token}'
    planName: 'plan-holdfast-${token}'
    location: location
    tags: tags
    nodeVersion: nodeVersion
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    alwaysReadyHttp: alwaysReadyHttp
    alwaysReadyQueue: alwaysReadyQueue
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    deploymentContainer: storage.outputs.deploymentContainer
    blobEndpoint: storage.outputs.blobEndpoint
    queueEndpoint: storage.outputs.queueEndpoint
    cosmosEndpoint: cosmos.outputs.endpoint
    databaseName: cosmos.outputs.databaseName
    telemetryConnectionString: telemetry.outputs.connectionString
    subnetId: network.?outputs.?appSubnetId ?? ''
    authClientId: authClientId
    authTenantId: authTenantId
    corsAllowedOrigins: corsAllowedOrigins
    traceRatio: traceRatio
    extraSettings: extraSettings
  }
}

output AZURE_RESOURCE_GROUP string = group.name
output AZURE_IDENTITY_CLIENT_ID string = identity.outputs.clientId
output SERVICE_HOLDFAST_NAME string = app.outputs.name
output HOLDFAST_URL string = app.outputs.url
output COSMOS_ACCOUNT_ENDPOINT string = cosmos.outputs.endpoint
output APPLICATIONINSIGHTS_NAME string = telemetry.outputs.componentName
