// The workbook and the alerts. Each alert is a query beside this file that answers one number,
// `value`, and a bound: it fires above the bound and is over by itself. What to do then:
// docs/monitoring.md, one runbook for each; a test keeps both equal.
param location string
param tags object
param workbookName string
param workspaceId string
param componentId string
param cosmosId string
@description('Who is told; nobody, if empty: alerts then show in the portal alone.')
param emails string[]
param oldestJobHours int
param failurePercent int

type alert = {
  name: string
  title: string
  @description('0 is critical, 4 is verbose.')
  severity: int
  @description('ISO durations: how often, and over which time.')
  every: string
  window: string
  above: int
  query: string
  @description('A longer time that the query looks at by itself.')
  history: string?
  @description('A column: an alert for each of its values.')
  by: string?
}

var alerts alert[] = [
  {
    name: 'message-poisoned'
    title: 'A message was given up'
    severity: 1
    every: 'PT5M'
    window: 'PT15M'
    above: 0
    query: loadTextContent('alerts/message-poisoned.kql')
  }
  {
    name: 'standstill'
    title: 'The queue grows and no job ends'
    severity: 1
    every: 'PT5M'
    window: 'PT30M'
    above: 10
    query: loadTextContent('alerts/standstill.kql')
  }
  {
    name: 'sweeper-silent'
    title: 'The sweeper tells nothing'
    severity: 1
    every: 'PT5M'
    window: 'PT15M'
    above: 0
    query: loadTextContent('alerts/sweeper-silent.kql')
  }
  {
    name: 'not-ready'
    title: 'A setting is wrong, or a store is not ready'
    severity: 1
    every: 'PT5M'
    window: 'PT15M'
    above: 0
    query: loadTextContent('alerts/not-ready.kql')
  }
  {
    name: 'queue-age'
    title: 'Messages wait long'
    severity: 2
    every: 'PT5M'
    window: 'PT15M'
    above: 300
    query: loadTextContent('alerts/queue-age.kql')
  }
  {
    name: 'sweep-lag'
    title: 'The sweeper is behind'
    severity: 2
    every: 'PT5M'
    window: 'PT15M'
    above: 300
    query: loadTextContent('alerts/sweep-lag.kql')
  }
  {
    name: 'resends'
    title: 'Messages are sent again more than usual'
    severity: 2
    every: 'PT15M'
    window: 'PT15M'
    history: 'P1D'
    above: 10
    query: loadTextContent('alerts/resends.kql')
  }
  {
    name: 'failure-ratio'
    title: 'Many jobs of a workflow fail'
    severity: 2
    every: 'PT15M'
    window: 'PT1H'
    above: failurePercent
    by: 'workflow_id'
    query: loadTextContent('alerts/failure-ratio.kql')
  }
  {
    name: 'oldest-job'
    title: 'A job is open for long'
    severity: 3
    every: 'PT1H'
    window: 'PT1H'
    above: oldestJobHours
    query: loadTextContent('alerts/oldest-job.kql')
  }
]

resource told 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(emails)) {
  name: 'holdfast'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'holdfast'
    enabled: true
    emailReceivers: [
      for (email, index) in emails: {
        name: 'email-${index}'
        emailAddress: email
        useCommonAlertSchema: true
      }
    ]
  }
}

resource rules 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for one in alerts: {
    name: 'holdfast-${one.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: 'Holdfast: ${one.title}'
      description: 'Runbook: docs/monitoring.md#${one.name}'
      severity: one.severity
      enabled: true
      scopes: [workspaceId]
      evaluationFrequency: one.every
      windowSize: one.window
      overrideQueryTimeRange: one.?history
      autoMitigate: true
      // A workspace that was just made may not know its tables yet; tests read every query.
      skipQueryValidation: true
      criteria: {
        allOf: [
          {
            query: one.query
            metricMeasureColumn: 'value'
            timeAggregation: 'Maximum'
            operator: 'GreaterThan'
            threshold: one.above
            dimensions: empty(one.?by)
              ? []
              : [{ name: one.?by ?? '', operator: 'Include', values: ['*'] }]
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      actions: empty(emails) ? {} : { actionGroups: [told.id] }
    }
  }
]

resource throttled 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: 'holdfast-throttled'
  location: 'global'
  tags: tags
  properties: {
    description: 'Runbook: docs/monitoring.md#throttled'
    severity: 2
    enabled: true
    scopes: [cosmosId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT5M'
    autoMitigate: true
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'refused'
          metricNamespace: 'Microsoft.DocumentDB/databaseAccounts'
          metricName: 'TotalRequests'
          dimensions: [{ name: 'StatusCode', operator: 'Include', values: ['429'] }]
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 100
        }
      ]
    }
    actions: empty(emails) ? [] : [{ actionGroupId: told.id }]
  }
}

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(workbookName)
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Holdfast'
    category: 'workbook'
    sourceId: componentId
    serializedData: replace(
      loadTextContent('holdfast.workbook.json'),
      'HOLDFAST_WORKSPACE',
      workspaceId
    )
  }
}
