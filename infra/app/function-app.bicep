// The Functions app on Flex Consumption, with its settings. Nothing in the settings is a secret:
// the app and the host come to storage, Cosmos DB and Application Insights with the identity.
param name string
param planName string
param location string
param tags object
param nodeVersion string
param instanceMemoryMB int
param maximumInstanceCount int
param alwaysReadyHttp int
param alwaysReadyQueue int
param identityId string
param identityClientId string
param blobEndpoint string
param queueEndpoint string
param deploymentContainer string
param cosmosEndpoint string
param databaseName string
param telemetryConnectionString string
@description('Empty: no virtual network.')
param subnetId string
@description('Empty: function keys alone.')
param authClientId string
param authTenantId string
param corsAllowedOrigins string[]
param traceRatio string
param extraSettings object

@description('The function of the work queue, which scales by itself; as in src/functions/routes.ts.')
var queueFunction = 'process_work'
var alwaysReady = concat(
  alwaysReadyHttp > 0 ? [{ name: 'http', instanceCount: alwaysReadyHttp }] : [],
  alwaysReadyQueue > 0 ? [{ name: 'function:${queueFunction}', instanceCount: alwaysReadyQueue }] : []
)
var hasSignIn = !empty(authClientId)
var host = '${name}.azurewebsites.net'

var settings = {
  // Read by the Functions host and by the app.
  AzureWebJobsStorage__blobServiceUri: blobEndpoint
  AzureWebJobsStorage__queueServiceUri: queueEndpoint
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identityClientId
  APPLICATIONINSIGHTS_CONNECTION_STRING: telemetryConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
  // Read by the host: it stops at a body of 1 MB, where its default is 100 MB.
  FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '1048576'
  // Read by the app.
  COSMOS_CONNECTION__accountEndpoint: cosmosEndpoint
  COSMOS_CONNECTION__credential: 'managedidentity'
  COSMOS_CONNECTION__clientId: identityClientId
  HOLDFAST_DATABASE: databaseName
  HOLDFAST_PUBLIC_URL: 'https://${host}'
  HOLDFAST_TRACE_RATIO: traceRatio
}
@description('With sign-in the platform says who calls. A function key is asked for all the same: SECURITY.md.')
var signInSettings = {
  HOLDFAST_AUTH: 'platform'
  HOLDFAST_ADMIN_ROLE: 'Holdfast.Admin'
  WEBSITE_AUTH_ENABLED: 'true'
}

resource plan 'Microsoft.Web/serverfarms@2024-04-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { tier: 'FlexConsumption', name: 'FC1' }
  properties: { reserved: true }
}

resource app 'Microsoft.Web/sites@2024-04-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'holdfast' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      ftpsState: 'Disabled'
      http20Enabled: true
      cors: { allowedOrigins: corsAllowedOrigins, supportCredentials: false }
    }
    functionAppConfig: {
      runtime: { name: 'node', version: nodeVersion }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        alwaysReady: alwaysReady
      }
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${blobEndpoint}${deploymentContainer}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
    }
  }

  resource appSettings 'config' = {
    name: 'appsettings'
    properties: union(settings, hasSignIn ? signInSettings : {}, extraSettings)
  }

  resource signIn 'config' = if (hasSignIn) {
    name: 'authsettingsV2'
    properties: {
      platform: { enabled: true }
      globalValidation: {
        requireAuthentication: true
        unauthenticatedClientAction: 'Return401'
        excludedPaths: ['/api/v1/health/live', '/api/v1/health/ready']
      }
      identityProviders: {
        azureActiveDirectory: {
          enabled: true
          registration: {
            clientId: authClientId
            openIdIssuer: '${environment().authentication.loginEndpoint}${authTenantId}/v2.0'
          }
          validation: { allowedAudiences: ['api://${authClientId}', authClientId] }
        }
      }
      login: { tokenStore: { enabled: false } }
    }
  }

  resource ftp 'basicPublishingCredentialsPolicies' = {
    name: 'ftp'
    properties: { allow: false }
  }

  resource scm 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: { allow: false }
  }
}

output id string = app.id
output name string = app.name
output url string = 'https://${app.properties.defaultHostName}'
