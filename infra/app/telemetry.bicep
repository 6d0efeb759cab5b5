// Log Analytics and Application Insights. Local auth is off: what comes in comes with an identity.
param workspaceName string
param componentName string
param location string
param tags object
param retentionDays int
param appPrincipalId string
param operatorPrincipalIds string[]

@description('Monitoring Metrics Publisher: may send, and read nothing.')
var publisherRole = '3913510d-42f4-4e42-8a64-420c390055eb'
@description('Log Analytics Reader.')
var readerRole = '73c42c96-874c-492b-b04d-ab87d138a893'

resource workspace 'Microsoft.OperationalInsights/workspaces@2023-09-01' = {
  name: workspaceName
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: retentionDays
    features: { disableLocalAuth: true }
  }
}

resource component 'Microsoft.Insights/components@2020-02-02' = {
  name: componentName
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    DisableLocalAuth: true
  }
}

resource mayPublish 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(component.id, appPrincipalId, publisherRole)
  scope: component
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', publisherRole)
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
  }
}

resource mayRead 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for principalId in operatorPrincipalIds: {
    name: guid(workspace.id, principalId, readerRole)
    scope: workspace
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', readerRole)
      principalId: principalId
    }
  }
]

output workspaceId string = workspace.id
output componentId string = component.id
output componentName string = component.name
#disable-next-line outputs-should-not-contain-secrets // With local auth off it is an address, not a key.
output connectionString string = component.properties.ConnectionString
