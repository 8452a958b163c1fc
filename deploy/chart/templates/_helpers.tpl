{{- define "rolecall.fullname" -}}
{{- if contains "rolecall" .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{ else }}{{ printf "%s-rolecall" .Release.Name | trunc 40 | trimSuffix "-" }}{{ end }}
{{- end }}

{{/* The five services; `rolecall.parts` has the console, too. */}}
{{- define "rolecall.services" -}}identity team authz notification audit{{- end }}
{{- define "rolecall.parts" -}}identity team authz notification audit console{{- end }}
{{/* The pods of the parts: those of authz's second group and further ones have names of their own. */}}
{{- define "rolecall.groups" -}}
{{- range $group := untilStep 2 (int (add1 .Values.authz.groups)) 1 }} authz-{{ $group }}{{ end }}
{{- end }}
{{- define "rolecall.servicePods" -}}{{ include "rolecall.services" . }}{{ include "rolecall.groups" . }}{{- end }}
{{- define "rolecall.pods" -}}{{ include "rolecall.parts" . }}{{ include "rolecall.groups" . }}{{- end }}
{{- define "rolecall.partOf" -}}{{ regexReplaceAll "-[0-9]+$" . "" }}{{- end }}
{{- define "rolecall.databases" -}}identity team notification audit{{- end }}

{{- define "rolecall.selector" -}}
app.kubernetes.io/name: rolecall
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .pod | default .part }}
{{- end }}

{{- define "rolecall.labels" -}}
{{ include "rolecall.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: rolecall
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "rolecall.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end -}}
{{- end }}

{{- define "rolecall.secretName" -}}
{{- $own := index .root.Values .part -}}
{{ $own.existingSecret | default (printf "%s-%s" (include "rolecall.fullname" .root) .part) }}
{{- end }}

{{/* No root, no capability, no way to more, and nothing to write but the volumes. */}}
{{- define "rolecall.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end }}
{{- define "rolecall.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* What every pod has, apart from its containers. */}}
{{- define "rolecall.podCommon" -}}
{{- $own := mergeOverwrite (deepCopy .root.Values.defaults) (deepCopy (index .root.Values .part | default dict)) }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .root.Values.serviceAccountName }}
serviceAccountName: {{ . }}
{{- end }}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with $own.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $own.nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with $own.tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
securityContext: {{ include "rolecall.podSecurity" . | nindent 2 }}
{{- end }}

{{/* Replicas are on different machines and zones, where there are some. */}}
{{- define "rolecall.spread" -}}
topologySpreadConstraints:
  {{- range $key := list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - maxSkew: 1
    topologyKey: {{ $key }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{ include "rolecall.selector" $ | nindent 8 }}
  {{- end }}
{{- end }}

{{/* The variables of a part: its secrets are files, and the rest is here. */}}
{{- define "rolecall.env" -}}
{{- $root := .root }}
{{- $name := include "rolecall.fullname" $root }}
{{- $own := index $root.Values .part }}
{{- $prefix := printf "ROLECALL_%s_" (upper .part) }}
{{- $isService := has .part (splitList " " (include "rolecall.services" .)) }}
{{- $hasDatabase := has .part (splitList " " (include "rolecall.databases" .)) }}
{{- $given := dict
  "PUBLIC_URL" $root.Values.publicUrl
  "HOST" "0.0.0.0"
  "PORT" "8080"
  "INTERNAL_HOST" "0.0.0.0"
  "INTERNAL_PORT" "8081"
  "DRAIN_SECONDS" (toString $root.Values.drainSeconds)
  "TRUSTED_PROXIES" (toJson (list "127.0.0.0/8" "::1/128" "10.0.0.0/8" "172.16.0.0/12" "192.168.0.0/16" "100.64.0.0/10" "fc00::/7" "fe80::/10"))
}}
{{- $secret := list }}
{{- if $isService }}
{{- $urls := dict }}
{{- range splitList " " (include "rolecall.services" .) }}
{{- $_ := set $urls . (list (printf "http://%s-%s-internal:8081" $name .)) }}
{{- end }}
{{- range splitList " " (include "rolecall.groups" $root | trim) }}
{{- if . }}{{ $_ := set $urls "authz" (append $urls.authz (printf "http://%s-%s-internal:8081" $name .)) }}{{ end }}
{{- end }}
{{- $_ := set $given "INTERNAL_URLS" (toJson $urls) }}
{{- $secret = list "AMQP_URL" "INTERNAL_KEY" "ADMIN_KEY" }}
{{- end }}
{{- if $hasDatabase }}
{{- $_ := set $given "MIGRATE" (ternary "apart" "at-start" $root.Values.migrations.enabled) }}
{{- $secret = concat $secret (list "MONGO_URL" "JOURNAL_KEY") }}
{{- end }}
{{- if eq .part "identity" }}
{{- $secret = concat $secret (list "LINK_KEY" "REFRESH_KEY" "SEALING_KEY") }}
{{- if $own.ssoConnections }}{{ $secret = append $secret "SSO_CONNECTIONS" }}{{ end }}
{{- else if eq .part "team" }}
{{- $secret = append $secret "LINK_KEY" }}
{{- else if eq .part "authz" }}
{{- if $own.forwardAuthMap }}{{ $_ := set $given "FORWARD_AUTH_FILE" "/etc/rolecall/forward-auth/map" }}{{ end }}
{{- $group := .pod | default "authz" | trimPrefix "authz" | trimPrefix "-" | default "1" }}
{{- if and (gt (int $own.groups) 1) (not (and (eq $group "1") $own.firstGroupHoldsAll)) }}
{{- $public := list (list (printf "http://%s-authz:8080" $name)) }}
{{- $internal := list (list (printf "http://%s-authz-internal:8081" $name)) }}
{{- range splitList " " (include "rolecall.groups" $root | trim) }}
{{- $public = append $public (list (printf "http://%s-%s:8080" $name .)) }}
{{- $internal = append $internal (list (printf "http://%s-%s-internal:8081" $name .)) }}
{{- end }}
{{- $_ := set $given "GROUP" $group }}
{{- $_ := set $given "GROUP_URLS" (toJson $public) }}
{{- $_ := set $given "GROUP_INTERNAL_URLS" (toJson $internal) }}
{{- end }}
{{- else if eq .part "notification" }}
{{- $secret = append $secret "WEBHOOK_KEY" }}
{{- $_ := set $given "SMTP_HOST" $own.smtp.host }}
{{- $_ := set $given "SMTP_PORT" (toString $own.smtp.port) }}
{{- $_ := set $given "SMTP_SECURITY" $own.smtp.security }}
{{- $_ := set $given "MAIL_FROM" $own.mailFrom }}
{{- $_ := set $given "PAGES" "true" }}
{{- if $own.smtp.username }}
{{- $_ := set $given "SMTP_USERNAME" $own.smtp.username }}
{{- $secret = append $secret "SMTP_PASSWORD" }}
{{- end }}
{{- else if eq .part "audit" }}
{{- $secret = concat $secret (list "CHECKPOINT_KEY" "STREAM_KEY") }}
{{- if $own.checkpoints.existingClaim }}{{ $_ := set $given "CHECKPOINT_FOLDER" "/var/lib/rolecall/checkpoints" }}{{ end }}
{{- else if eq .part "console" }}
{{- $secret = list "COOKIE_KEYS" }}
{{- $_ := set $given "API_URL" (printf "http://%s-gateway-inside:8082" $name) }}
{{- end }}
{{- $given = mergeOverwrite $given (deepCopy $root.Values.defaults.settings) (deepCopy $own.settings) }}
{{- range $key := keys $given | sortAlpha }}
- name: {{ $prefix }}{{ $key }}
  value: {{ get $given $key | toString | quote }}
{{- end }}
{{- range $secret }}
- name: {{ $prefix }}{{ . }}_FILE
  value: /run/secrets/rolecall/{{ $prefix }}{{ . }}
{{- end }}
{{- if $isService }}
{{- range list "INTERNAL_KEYS" "JOURNAL_KEYS" }}
- name: {{ $prefix }}{{ . }}
  valueFrom:
    configMapKeyRef:
      name: {{ $root.Values.publicKeys.existingConfigMap | default (printf "%s-public-keys" $name) }}
      key: {{ . }}
{{- end }}
{{- end }}
{{- if has .part (list "authz" "team") }}
- name: {{ $prefix }}REPLICA
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
{{- end }}
{{- if has .part (list "identity" "team") }}
# For `rolecall admin` in the pod.
- name: ROLECALL_ADMIN_KEY_FILE
  value: /run/secrets/rolecall/{{ $prefix }}ADMIN_KEY
{{- end }}
{{- with $root.Values.defaults.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- with $own.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "rolecall.mounts" -}}
{{- $own := mergeOverwrite (deepCopy .root.Values.defaults) (deepCopy (index .root.Values .part)) -}}
- name: secrets
  mountPath: /run/secrets/rolecall
  readOnly: true
- name: tmp
  mountPath: /tmp
{{- if and (eq .part "authz") $own.forwardAuthMap }}
- name: forward-auth
  mountPath: /etc/rolecall/forward-auth
  readOnly: true
{{- end }}
{{- if and (eq .part "audit") $own.checkpoints.existingClaim }}
- name: checkpoints
  mountPath: /var/lib/rolecall/checkpoints
{{- end }}
{{- with $own.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "rolecall.volumes" -}}
{{- $own := mergeOverwrite (deepCopy .root.Values.defaults) (deepCopy (index .root.Values .part)) -}}
- name: secrets
  secret:
    secretName: {{ include "rolecall.secretName" . }}
    defaultMode: 0440
- name: tmp
  emptyDir:
    sizeLimit: 256Mi
{{- if and (eq .part "authz") $own.forwardAuthMap }}
- name: forward-auth
  configMap:
    name: {{ include "rolecall.fullname" .root }}-forward-auth
{{- end }}
{{- if and (eq .part "audit") $own.checkpoints.existingClaim }}
- name: checkpoints
  persistentVolumeClaim:
    claimName: {{ $own.checkpoints.existingClaim }}
{{- end }}
{{- with $own.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}
